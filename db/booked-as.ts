import type { Sql, TransactionSql } from "postgres";
import type { Call } from "#lib/call.ts";
import type { OfCalls } from "./of-calls.ts";
import { quoted } from "./rows.ts";

interface Corrected {
  call: Pick<Call, "id">;
  /** An open day. */
  linesOn: string;
}

/** A call's marks in `rollup_spend`, as numbers; `c` is the call. */
const MARKS = {
  failed: "(c.outcome <> 'completed')::int",
  unpriced: "('usage_inconsistent' = any(c.problems))::int",
  without_usage: "(c.usage_source = 'none')::int",
};

/**
 * SQL that notes how calls are counted in a month that is closed, before what a new reading says of them takes their place. Once for each
 * call: its money keeps the names that it was first booked under.
 */
export const keepAsBooked = (which: OfCalls): string => `
  insert into booked_as (
    call_id, correction, booked_on, environment, feature, customer, template, template_version, unit_hash, model,
    failed, unpriced, without_usage
  )
  select c.id, 0, coalesce(c.booked_on, (c.started_at at time zone 'UTC')::date),
    c.environment, c.feature, c.customer, c.template, c.template_version, c.unit_hash, coalesce(c.model, c.request_model),
    ${Object.values(MARKS).join(", ")}
  from calls c where ${which("c.id")}
  on conflict do nothing`;

/** SQL that books, on an open day, by how much a call's marks are others now than what is counted of it so far. */
export function correctCounts(calls: readonly Corrected[]): string[] {
  if (calls.length === 0) return [];
  const days = calls.map(({ call, linesOn }) => `('${call.id}'::uuid, ${quoted(linesOn)}::date)`);
  const names = Object.keys(MARKS);
  return [
    `
    insert into booked_as (call_id, correction, booked_on, environment, ${names.join(", ")})
    select c.id, was.corrections, day, c.environment, ${Object.entries(MARKS)
      .map(([name, now]) => `${now} - was.${name}`)
      .join(", ")}
    from (values ${days.join(", ")}) as given (id, day)
    join calls c on c.id = given.id
    cross join lateral (
      select count(*) as corrections, ${names.map((name) => `sum(${name}) as ${name}`).join(", ")}
      from booked_as where call_id = c.id
    ) was
    where (${Object.values(MARKS).join(", ")}) <> (${names.map((name) => `was.${name}`).join(", ")})`,
  ];
}

/** Hardly ever: only a reading after a close makes such rows, and without any the sums of money are much less to plan. */
export async function anyBookedAgain(sql: Sql | TransactionSql): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`select exists (select 1 from booked_as) as found`;
  return row?.found ?? false;
}
