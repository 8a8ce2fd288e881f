import type { Sql } from "postgres";
import { nextMonth } from "./booking.ts";
import { quoted } from "./rows.ts";
import { sealedUntil } from "./sealed.ts";

/** What a month came to when it was closed, as the pages show it. Decimal strings; costs are exact. */
export interface MonthReport {
  calls: number;
  callsUnpriced: number;
  callsWithoutUsage: number;
  costUsd: string;
  costEstimatedUsd: string;
  lines: number;
  /** Of all lines booked in the month and of all its sums, each in the order of their keys. */
  sha256: string;
}

/** Why a month cannot be closed, or does not check. */
export class PeriodError extends Error {
  readonly code: "month_not_over" | "month_closed" | "month_open" | "data_behind" | "month_changed" | "month_sealed";
  constructor(code: PeriodError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** SQL: one row, the report on what is booked in a month. */
function reportOn(project: string, month: string): string {
  const inMonth = (day: string) => `${day} >= ${quoted(month)}::date and ${day} < ${quoted(nextMonth(month))}::date`;
  return `
    with booked as (
      select l.* from usage_lines l join calls c on c.id = l.call_id
      where c.project_id = ${quoted(project)} and ${inMonth("l.booked_on")}
    ),
    spent as (
      select * from rollup_spend
      where project_id = ${quoted(project)} and ${inMonth("(bucket at time zone 'UTC')::date")}
    ),
    -- Day by day: one text of a whole month can be larger than a value may be.
    hashes as (
      select booked_on as day, 1 as part, sha256(convert_to(string_agg(
        concat_ws(',', call_id, adjustment, direction, modality, cache, unit, quantity, source, price_id, cost_usd), E'\n'
        order by call_id, adjustment, direction, modality, cache, unit
      ), 'UTF8')) as hash
      from booked group by booked_on
      union all
      select (bucket at time zone 'UTC')::date, 2, sha256(convert_to(string_agg(spent::text, E'\n' order by spent::text), 'UTF8'))
      from spent group by 1
    )
    select
      coalesce(sum(calls), 0)::bigint as calls,
      coalesce(sum(calls_unpriced), 0)::bigint as "callsUnpriced",
      coalesce(sum(calls_without_usage), 0)::bigint as "callsWithoutUsage",
      trim_scale(coalesce(sum(cost_usd), 0))::text as "costUsd",
      trim_scale(coalesce(sum(cost_estimated_usd), 0))::text as "costEstimatedUsd",
      (select count(*) from booked) as lines,
      encode(sha256(coalesce((select string_agg(hash, ''::bytea order by day, part) from hashes), ''::bytea)), 'hex') as sha256
    from spent`;
}

/**
 * Closes a month: from now on nothing is booked into it, what comes late stands in the next open month. Batches that are being
 * stored finish first. `month` is YYYY-MM-01; `anyway`: also when a spool is behind, whose calls will then be booked later.
 * @throws PeriodError
 */
export async function closeMonth(
  sql: Sql,
  { project, month, by, anyway = false }: { project: string; month: string; by: string | null; anyway?: boolean },
): Promise<MonthReport> {
  const end = nextMonth(month);
  if (Date.parse(end) > Date.now())
    throw new PeriodError("month_not_over", `${month.slice(0, 7)} is not over: it ends at ${end} 00:00 UTC.`);
  await assertKept(sql, month);
  const [store] = await sql<{ at: Date | null }[]>`select min(updated_at) as at from spool_positions`;
  if (!anyway && store?.at && store.at < new Date(end))
    throw new PeriodError(
      "data_behind",
      `A spool is stored up to ${store.at.toISOString()} only: start its recorder, and close when it is past the end of the month. If its machine is gone for good, close anyway (--anyway).`,
    );
  try {
    return await insertClosed(sql, project, month, by);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "23505") throw error;
    throw new PeriodError("month_closed", `${month.slice(0, 7)} is closed already.`);
  }
}

/** One message, one transaction: the lock waits for batches under way, and those that follow see the closed month. */
async function insertClosed(sql: Sql, project: string, month: string, by: string | null): Promise<MonthReport> {
  const row = `project_id = ${quoted(project)} and month = ${quoted(month)}::date`;
  await sql.unsafe(`
    lock table closed_periods in exclusive mode;
    insert into closed_periods (project_id, month, closed_by)
    values (${quoted(project)}, ${quoted(month)}::date, ${by === null ? "null" : quoted(by)});
    update closed_periods set report = (select to_jsonb(r) from (${reportOn(project, month)}) r) where ${row}`);
  return checkMonth(sql, project, month);
}

/**
 * Compares a closed month with what it was when it was closed.
 * @throws PeriodError month_open, month_sealed, or month_changed with what differs
 */
export async function checkMonth(sql: Sql, project: string, month: string): Promise<MonthReport> {
  const [closed] = await sql<{ report: MonthReport | null }[]>`
    select report from closed_periods where project_id = ${project} and month = ${month}::date`;
  if (!closed?.report) throw new PeriodError("month_open", `${month.slice(0, 7)} is not closed.`);
  await assertKept(sql, month);
  const [now] = (await sql.unsafe(reportOn(project, month))) as unknown as [MonthReport];
  if (now.sha256 !== closed.report.sha256)
    throw new PeriodError(
      "month_changed",
      `${month.slice(0, 7)} is not what was closed: ${closed.report.lines} lines and ${closed.report.costUsd} USD then, ${now.lines} and ${now.costUsd} now.`,
    );
  return now;
}

/** A month's lines are its proof: without all of them there is nothing to close, or to compare with. */
async function assertKept(sql: Sql, month: string): Promise<void> {
  const sealedMs = await sealedUntil(sql);
  if (sealedMs === null || sealedMs <= Date.parse(month)) return;
  throw new PeriodError(
    "month_sealed",
    `Calls before ${new Date(sealedMs).toISOString().slice(0, 10)} are no longer kept (OMNIMETER_FACTS_DAYS): the lines of ${month.slice(0, 7)} are not all there. Its sums and its report stay as they are.`,
  );
}
