import type { SessionPlan } from "./record-sessions.ts";
import { quoted, quotedJson } from "./rows.ts";
import type { SetAside } from "./set-aside.ts";
import type { RecordedCall } from "./stored-calls.ts";

/** Of one run: what its worker accepted, what has begun, what was dropped and why (lib/spool/assembler.ts). */
export interface RunCounts {
  accepted: number;
  started: number;
  dropped: Record<string, number>;
  atRisk: number;
}

export const NO_COUNTS: RunCounts = { accepted: 0, started: 0, dropped: {}, atRisk: 0 };

interface Counted {
  spool: string;
  runs: ReadonlyMap<string, RunCounts>;
  calls: readonly RecordedCall[];
}

interface Ended {
  stored: number;
  aside: number;
  /** Of days that were sealed before the call was read (db/sealed.ts). */
  expired: number;
  /** Sessions that the database does not take, however little is told of them. */
  session_refused: number;
}

/** Why the recorder drops something; the worker counts its own reasons. */
const OURS = ["expired", "session_refused"] as const;

/**
 * SQL that keeps the equation's figures: calls of an earlier run can still end in this stretch (as interrupted). An exchange counts once:
 * as its call, or as the session that it was, however many calls came out of it.
 */
export function addRunCounts(
  batch: Counted,
  setAside: readonly SetAside[],
  expired: ReadonlySet<string>,
  sessions: SessionPlan,
): string[] {
  const ended = new Map<string, Ended>();
  const countsOf = (life: string): Ended => {
    const counts = ended.get(life) ?? { stored: 0, aside: 0, expired: 0, session_refused: 0 };
    ended.set(life, counts);
    return counts;
  };
  for (const life of batch.runs.keys()) countsOf(life);
  const aside = new Set(setAside.map(({ id }) => id));
  for (const { call } of batch.calls) {
    if (call.parentId !== null) continue;
    if (expired.has(call.id)) countsOf(call.origin.run).expired++;
    else if (!aside.has(call.id)) countsOf(call.origin.run).stored++;
  }
  for (const { origin, isChild } of setAside) if (!isChild) countsOf(origin.run).aside++;
  for (const { origin, ended: isOver } of sessions.stored) if (isOver) countsOf(origin.run).stored++;
  for (const { origin, ended: isOver } of sessions.expired) if (isOver) countsOf(origin.run).expired++;
  for (const { origin, ended: isOver } of sessions.refused) if (isOver) countsOf(origin.run).session_refused++;
  return [...ended].flatMap(([life, counts]) => {
    if (!life) return [];
    const { stored, aside } = counts;
    const { accepted, started, dropped: byWorker, atRisk } = batch.runs.get(life) ?? NO_COUNTS;
    const byUs = OURS.flatMap((reason) => (counts[reason] > 0 ? [[reason, counts[reason]] as const] : []));
    const dropped = { ...byWorker, ...Object.fromEntries(byUs) };
    return [
      `insert into spool_runs as r (spool, run, accepted, started, stored, set_aside, dropped, at_risk)
       values (
         ${quoted(batch.spool)}, ${quoted(life)}, ${accepted}, ${started}, ${stored}, ${aside},
         ${quotedJson(dropped)}::jsonb, ${atRisk}
       )
       on conflict (spool, run) do update set
         accepted = greatest(r.accepted, excluded.accepted), started = greatest(r.started, excluded.started),
         stored = r.stored + excluded.stored, set_aside = r.set_aside + excluded.set_aside,
         -- The worker's counts are as of now; what was dropped here is added up.
         dropped = (case when excluded.accepted > 0 then excluded.dropped else r.dropped end)
           ${OURS.map((reason) => `|| ${sumOf(reason)}`).join(" ")},
         at_risk = greatest(r.at_risk, excluded.at_risk), updated_at = now()`,
    ];
  });
}

const sumOf = (reason: (typeof OURS)[number]) => `
  case when r.dropped ? '${reason}' or excluded.dropped ? '${reason}'
    then jsonb_build_object('${reason}', coalesce((r.dropped ->> '${reason}')::bigint, 0) + coalesce((excluded.dropped ->> '${reason}')::bigint, 0))
    else '{}'::jsonb
  end`;
