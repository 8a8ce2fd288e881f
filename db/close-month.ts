import type { Sql } from "postgres";
import { nextMonth } from "./booking.ts";
import { quoted } from "./rows.ts";

/** What a month came to when it was closed. Decimal strings; costs are exact. */
export interface MonthReport {
  lines: number;
  calls: number;
  callsUnpriced: number;
  costUsd: string;
  costEstimatedUsd: string;
  /** Of all lines booked in the month, in the order of their keys. */
  sha256: string;
}

/** Why a month cannot be closed, or does not check. */
export class PeriodError extends Error {
  readonly code: "month_not_over" | "month_closed" | "month_open" | "data_behind" | "month_changed";
  constructor(code: PeriodError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** What is booked in a month: `month` is YYYY-MM-01. */
async function reportOn(sql: Sql, project: string, month: string): Promise<MonthReport> {
  const end = nextMonth(month);
  const [report] = await sql<MonthReport[]>`
    with booked as (
      select l.*
      from usage_lines l join calls c on c.id = l.call_id
      where c.project_id = ${project} and l.booked_on >= ${month}::date and l.booked_on < ${end}::date
    ),
    -- Day by day: one text of a whole month can be larger than a value may be.
    days as (
      select booked_on, sha256(convert_to(string_agg(
        concat_ws(',', call_id, adjustment, direction, modality, cache, unit, quantity, source, price_id, cost_usd), E'\n'
        order by call_id, adjustment, direction, modality, cache, unit
      ), 'UTF8')) as hash
      from booked group by booked_on
    )
    select
      (select count(*) from booked) as lines,
      (select count(distinct call_id) from booked) as calls,
      (select count(distinct call_id) from booked where cost_usd is null) as "callsUnpriced",
      (select coalesce(sum(cost_usd) filter (where source <> 'estimated'), 0)::text from booked) as "costUsd",
      (select coalesce(sum(cost_usd) filter (where source = 'estimated'), 0)::text from booked) as "costEstimatedUsd",
      encode(sha256(coalesce((select string_agg(hash, ''::bytea order by booked_on) from days), ''::bytea)), 'hex') as sha256`;
  return report as MonthReport;
}

/**
 * Closes a month: from now on nothing is booked into it, what comes late stands in the next open month. Batches that are being
 * stored finish first. `month` is YYYY-MM-01.
 * @throws PeriodError
 */
export async function closeMonth(
  sql: Sql,
  { project, month, by }: { project: string; month: string; by: string | null },
): Promise<MonthReport> {
  const end = nextMonth(month);
  if (Date.parse(end) > Date.now())
    throw new PeriodError("month_not_over", `${month.slice(0, 7)} is not over: it ends at ${end} 00:00 UTC.`);
  const [store] = await sql<{ at: Date | null }[]>`
    select min(updated_at) filter (where updated_at > now() - interval '1 day') as at from spool_positions`;
  if (store?.at && store.at < new Date(end))
    throw new PeriodError(
      "data_behind",
      `Calls are stored up to ${store.at.toISOString()} only: wait until the recorder is past the end of the month.`,
    );
  await insertClosed(sql, project, month, by);
  const report = await reportOn(sql, project, month);
  await sql`
    update closed_periods set report = ${sql.json({ ...report })} where project_id = ${project} and month = ${month}::date`;
  return report;
}

/** One message: the lock waits for batches under way, and those that follow see the closed month. */
async function insertClosed(sql: Sql, project: string, month: string, by: string | null) {
  try {
    await sql.unsafe(`
      lock table closed_periods in exclusive mode;
      insert into closed_periods (project_id, month, closed_by)
      values (${quoted(project)}, ${quoted(month)}::date, ${by === null ? "null" : quoted(by)})`);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "23505") throw error;
    throw new PeriodError("month_closed", `${month.slice(0, 7)} is closed already.`);
  }
}

/**
 * Compares a closed month with what it was when it was closed.
 * @throws PeriodError month_open, or month_changed with what differs
 */
export async function checkMonth(sql: Sql, project: string, month: string): Promise<MonthReport> {
  const [closed] = await sql<{ report: MonthReport | null }[]>`
    select report from closed_periods where project_id = ${project} and month = ${month}::date`;
  if (!closed?.report) throw new PeriodError("month_open", `${month.slice(0, 7)} is not closed.`);
  const now = await reportOn(sql, project, month);
  if (now.sha256 !== closed.report.sha256)
    throw new PeriodError(
      "month_changed",
      `${month.slice(0, 7)} is not what was closed: ${closed.report.lines} lines and ${closed.report.costUsd} USD then, ${now.lines} and ${now.costUsd} now.`,
    );
  return now;
}
