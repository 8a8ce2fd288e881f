import type { DecodedExchange } from "#lib/recorder/decode-exchange.ts";
import type { Batch, HeldSpool, Store } from "#lib/recorder/store.ts";
import type { Session, Turn } from "#lib/session.ts";

/** A store for one spool that holds to what the real one promises: all of a batch or nothing, at the position where the last one ended. */
export function memoryStore() {
  const nothing: HeldSpool = { low: ORIGIN, high: ORIGIN, run: "", totals: {}, carried: [] };
  let held = nothing;
  let lease = "";
  const calls = new Map<string, DecodedExchange>();
  const sessions = new Map<string, Session>();
  const turns = new Map<string, Turn>();
  const batches: Batch[] = [];
  const ended: string[] = [];
  const store: Store = {
    async lease(_, by) {
      lease = by;
      return held;
    },
    touch: async (_, by) => by === lease,
    release: async () => {},
    prepare: () => {},
    async record(batch) {
      const { high } = held;
      if (batch.lease !== lease || batch.from.segment !== high.segment || batch.from.offset !== high.offset)
        throw Object.assign(new Error("no longer ours"), { code: "lease_lost" });
      for (const one of batch.calls) if (!calls.has(one.call.id)) calls.set(one.call.id, one);
      for (const { session, turns: news, ended: isOver } of batch.sessions) {
        sessions.set(session.id, session);
        for (const turn of news) turns.set(`${turn.sessionId} ${turn.index}`, turn);
        if (isOver) ended.push(session.id);
      }
      const carriedBefore = new Map(held.carried.map((one) => [`${one.run} ${one.seq}`, one.sealed]));
      const carried = batch.carried?.map(({ run, seq, sealed }) => ({
        ...{ run, seq },
        sealed: sealed ?? (carriedBefore.get(`${run} ${seq}`) as Buffer),
      }));
      held = {
        ...{ low: batch.low, high: batch.high, run: batch.run, totals: batch.runs.get(batch.run) ?? {} },
        carried: carried ?? held.carried,
      };
      batches.push(batch);
      return { stored: batch.calls.length, setAside: batch.undecoded.length };
    },
  };
  return { store, calls, sessions, turns, batches, ended, held: () => held };
}

const ORIGIN = { segment: 0, offset: 0 };
