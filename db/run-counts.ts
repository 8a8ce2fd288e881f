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
}

/** SQL that keeps the equation's figures: calls of an earlier run can still end in this stretch (as interrupted). */
export function addRunCounts(batch: Counted, setAside: readonly SetAside[], expired: ReadonlySet<string>): string[] {
  const ended = new Map<string, Ended>();
  for (const life of batch.runs.keys()) ended.set(life, { stored: 0, aside: 0, expired: 0 });
  const add = (life: string, which: keyof Ended) => {
    const counts = ended.get(life) ?? { stored: 0, aside: 0, expired: 0 };
    counts[which]++;
    ended.set(life, counts);
  };
  const aside = new Set(setAside.map(({ id }) => id));
  for (const { call } of batch.calls)
    if (expired.has(call.id)) add(call.origin.run, "expired");
    else if (!aside.has(call.id)) add(call.origin.run, "stored");
  for (const { origin } of setAside) add(origin.run, "aside");
  return [...ended].flatMap(([life, { stored, aside, expired: late }]) => {
    if (!life) return [];
    const { accepted, started, dropped: byWorker, atRisk } = batch.runs.get(life) ?? NO_COUNTS;
    const dropped = late > 0 ? { ...byWorker, expired: late } : byWorker;
    return [
      `insert into spool_runs as r (spool, run, accepted, started, stored, set_aside, dropped, at_risk)
       values (
         ${quoted(batch.spool)}, ${quoted(life)}, ${accepted}, ${started}, ${stored}, ${aside},
         ${quotedJson(dropped)}::jsonb, ${atRisk}
       )
       on conflict (spool, run) do update set
         accepted = greatest(r.accepted, excluded.accepted), started = greatest(r.started, excluded.started),
         stored = r.stored + excluded.stored, set_aside = r.set_aside + excluded.set_aside,
         -- The worker's counts are as of now; what expired here is added up.
         dropped = (case when excluded.accepted > 0 then excluded.dropped else r.dropped end) || ${sumOfExpired},
         at_risk = greatest(r.at_risk, excluded.at_risk), updated_at = now()`,
    ];
  });
}

const sumOfExpired = `
  case when r.dropped ? 'expired' or excluded.dropped ? 'expired'
    then jsonb_build_object('expired', coalesce((r.dropped ->> 'expired')::bigint, 0) + coalesce((excluded.dropped ->> 'expired')::bigint, 0))
    else '{}'::jsonb
  end`;
