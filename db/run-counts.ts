import { quoted, quotedJson } from "./rows.ts";
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

/** SQL that keeps the equation's figures: calls of an earlier run can still end in this stretch (as interrupted). */
export function addRunCounts(batch: Counted, refused: ReadonlySet<string>): string[] {
  const ended = new Map<string, { stored: number; aside: number }>();
  for (const life of batch.runs.keys()) ended.set(life, { stored: 0, aside: 0 });
  for (const { call } of batch.calls) {
    const counts = ended.get(call.origin.run) ?? { stored: 0, aside: 0 };
    if (refused.has(call.id)) counts.aside++;
    else counts.stored++;
    ended.set(call.origin.run, counts);
  }
  return [...ended].flatMap(([life, { stored, aside }]) => {
    if (!life) return [];
    const { accepted, started, dropped, atRisk } = batch.runs.get(life) ?? NO_COUNTS;
    return [
      `insert into spool_runs as r (spool, run, accepted, started, stored, set_aside, dropped, at_risk)
       values (
         ${quoted(batch.spool)}, ${quoted(life)}, ${accepted}, ${started}, ${stored}, ${aside},
         ${quotedJson(dropped)}::jsonb, ${atRisk}
       )
       on conflict (spool, run) do update set
         accepted = greatest(r.accepted, excluded.accepted), started = greatest(r.started, excluded.started),
         stored = r.stored + excluded.stored, set_aside = r.set_aside + excluded.set_aside,
         dropped = case when excluded.accepted > 0 then excluded.dropped else r.dropped end,
         at_risk = greatest(r.at_risk, excluded.at_risk), updated_at = now()`,
    ];
  });
}
