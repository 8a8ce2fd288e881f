import type { Exchange } from "#lib/exchange.ts";
import type { DecodedStretch } from "./decode-stretch.ts";
import { sealCall } from "./kept-exchange.ts";
import type { SessionStep, Undecoded } from "./store.ts";

interface Options {
  spoolKey: Buffer;
  keep(exchange: Exchange, error: Error): Undecoded;
}

/** A stretch that cannot be written down, with all of it set aside, so that it can be tried one by one; sessions that are over are over. */
export function keepAll(
  { calls, sessions }: DecodedStretch,
  exchanges: readonly Exchange[],
  error: Error,
  { spoolKey, keep }: Options,
): DecodedStretch {
  const kept = new Set(exchanges.map(({ id }) => id));
  // What came out of an exchange comes out of it again.
  const ofSessions = calls.filter(({ call }) => !kept.has(call.parentId ?? call.id));
  return {
    calls: [],
    sessions: sessions.map(bare),
    undecoded: [
      ...exchanges.map((one) => keep(one, error)),
      ...ofSessions.map(({ call }) => ({
        ...{ id: call.id, isChild: true, origin: call.origin },
        reason: `cannot be stored: ${error.message}`,
        sealed: sealCall(spoolKey, call),
      })),
    ],
  };
}

/** Without anything whose length the wire decides. */
const bare = ({ session, ...step }: SessionStep): SessionStep => ({
  ...step,
  turns: [],
  session: { ...session, rateLimits: {}, tags: {}, problems: ["reader_failed"] },
});
