import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import { ensurePartitionsFor } from "./partitions.ts";
import {
  guardMonths,
  isDataError,
  isOvertaken,
  type Plan,
  planCalls,
  settleCalls,
  writePlanned,
} from "./plan-calls.ts";
import { callRow, quoted, quotedJson } from "./rows.ts";
import type { Fence } from "./run-job.ts";
import type { RecordedCall } from "./stored-calls.ts";

/** A call as it was read anew beside what is stored of it. */
export interface Compared {
  id: string;
  /** The decoder that read what is stored; null: it is not stored. */
  version: number | null;
  isSetAside: boolean;
  /** Its content is stored: it may be replaced. Content whose time is over does not come back. */
  hasContent: boolean;
  /** Columns of `calls` that would be others. */
  changed: string[];
  /** Sums of the priced lines; null: none is. */
  costBefore: string | null;
  costAfter: string | null;
  costChanged: boolean;
}

/** What says where and when a call was recorded and booked, and not what it was. */
const NOT_COMPARED = ["recorded_at", "decoder_version", "booked_on", "template_leaf", "spool", "run", "seq"];

/** `costUsd` is what the lines come to as they are read now; null: none is priced. */
export async function compareCalls(
  sql: Sql,
  given: readonly { call: Call; costUsd: string | null }[],
): Promise<Compared[]> {
  const { calls: settled } = await settleCalls(sql, given);
  const rows = settled.map(({ call }) => callRow(call, new Date().toISOString(), null));
  const costs = given.map(({ call, costUsd }) => ({ id: call.id, cost: costUsd }));
  const ids = `'{${given.map(({ call }) => call.id).join(",")}}'::uuid[]`;
  const answer = await sql.unsafe(`
    with given as (select * from json_populate_recordset(null::calls, ${quotedJson(rows)}::json)),
    costs as (select * from json_to_recordset(${quotedJson(costs)}::json) as c (id uuid, cost numeric)),
    stored as (select * from calls where id = any(${ids})),
    spent as (select call_id as id, sum(cost_usd) as cost from usage_lines where call_id = any(${ids}) group by 1),
    contents as (select call_id as id from payloads where call_id = any(${ids})),
    aside as (select id from set_aside where id = any(${ids}))
    select
      id, s.decoder_version as version, a.id is not null as "isSetAside", p.id is not null as "hasContent",
      array(
        select key from jsonb_each(to_jsonb(g)) now join jsonb_each(to_jsonb(s)) was using (key)
        where now.value <> was.value and not key = any('{${NOT_COMPARED.join(",")}}') order by key
      ) as changed,
      trim_scale(spent.cost)::text as "costBefore", trim_scale(costs.cost)::text as "costAfter",
      s.id is not null and spent.cost is distinct from costs.cost as "costChanged"
    from given g
      left join stored s using (id) left join spent using (id) left join costs using (id)
      left join contents p using (id) left join aside a using (id)
    order by id`);
  return [...answer] as unknown as Compared[];
}

const FENCED_OFF = "OMFNC";

/**
 * Replaces what an older decoder had stored, in one transaction, rollups included; closed months get adjusting lines. Calls that are
 * not stored, or by this decoder already, are left alone; those that came out of an exchange and that only this decoder sees are stored. Returns those that the database refuses; what is stored of them stays.
 * @throws the database's error, or that the job is somebody else's now; nothing has happened then.
 */
export async function replaceStale(
  sql: Sql,
  fence: Fence,
  calls: readonly RecordedCall[],
): Promise<{ id: string; reason: string }[]> {
  const plan = onlyStale(await planCalls(sql, calls));
  if (plan.fresh.length === 0) return [];
  await ensurePartitionsFor(
    sql,
    plan.fresh.map(({ call }) => call.startedAt),
  );
  try {
    await sql.unsafe([guardMonths(plan), guardJob(fence), ...writePlanned(plan)].join(";\n"));
    return [];
  } catch (error) {
    if (await isOvertaken(sql, error, plan)) return replaceStale(sql, fence, calls);
    if (!isDataError(error)) throw error;
    const [first] = calls;
    if (calls.length === 1 && first) return [{ id: first.call.id, reason: (error as Error).message }];
    const refused: { id: string; reason: string }[] = [];
    for (const one of calls) refused.push(...(await replaceStale(sql, fence, [one])));
    return refused;
  }
}

const onlyStale = (plan: Plan): Plan => ({
  ...plan,
  fresh: plan.fresh.filter(({ call }) => plan.stale.includes(call.id) || call.parentId !== null),
});

/** Whoever lost the job meanwhile writes nothing more: somebody else may be reading the same calls. */
export const guardJob = ({ job, number }: Fence): string => `
  do $job$ begin
    perform 1 from jobs where name = ${quoted(job)} and fence = ${number} and locked_until is not null for share;
    if not found then raise exception 'this job is somebody else''s now' using errcode = '${FENCED_OFF}'; end if;
  end $job$`;
