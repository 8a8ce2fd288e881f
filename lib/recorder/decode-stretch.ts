import { setImmediate as turn } from "node:timers/promises";
import type { Exchange } from "#lib/exchange.ts";
import type { SocketStep } from "#lib/spool/socket-reader.ts";
import type { Caution } from "./caution.ts";
import { type DecodedExchange, type DecodeOptions, decodeCalls, decodeChild } from "./decode-exchange.ts";
import { sealExchange } from "./kept-exchange.ts";
import type { SessionStretch, SocketReading } from "./read-sockets.ts";
import type { SessionStep, Undecoded } from "./store.ts";

interface Options extends DecodeOptions {
  spoolKey: Buffer;
  caution: Caution;
  reading: Pick<SocketReading, "sessionOf" | "fail">;
}

/** After so many the loop turns once: the stretch before is stored meanwhile, and what the database answers is heard only then. */
const TURN_EXCHANGES = 50;
/** Far longer than the largest exchange takes. */
const DECODE_MS = 60_000;
/** Kept with what was said, in an hour; the rest is kept without: a fault that meets every call must not fill the database. */
const BODIES_BYTES_AN_HOUR = 256 << 20;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface DecodedStretch {
  calls: DecodedExchange[];
  /** Each session once, as it stands. */
  sessions: SessionStep[];
  undecoded: Undecoded[];
}

export interface StretchDecoder {
  /** One exchange after the other, then the sockets; one that fails, or never comes to an end, is kept and the others go on. */
  decode(exchanges: readonly Exchange[], sockets: readonly SocketStep<SessionStretch>[]): Promise<DecodedStretch>;
  keep(exchange: Exchange, error: Error): Undecoded;
}

export function createStretchDecoder(options: Options): StretchDecoder {
  const { caution, spoolKey, contentKey, reading } = options;
  let bytes = 0;
  let hourEndsAt = 0;
  let dayEndsAt = Date.now() + DAY_MS;

  return { decode: decodeAll, keep };

  async function decodeAll(exchanges: readonly Exchange[], sockets: readonly SocketStep<SessionStretch>[]) {
    const done: DecodedStretch = { calls: [], sessions: [], undecoded: [] };
    // Retention forgets words that nobody says any more (db/forget-words.ts): whoever says them again brings them within a day.
    if (Date.now() > dayEndsAt) {
      options.knownInstructions.clear();
      dayEndsAt = Date.now() + DAY_MS;
    }
    const { promise: late, reject } = Promise.withResolvers<never>();
    late.catch(() => {});
    const timer = setTimeout(() => reject(new Error(`it was not read in ${DECODE_MS / 1000} s`)), DECODE_MS);
    try {
      for (const [i, exchange] of exchanges.entries()) {
        if (i > 0 && i % TURN_EXCHANGES === 0) await turn();
        timer.refresh();
        try {
          if (caution.isDeadly(exchange)) throw new Error("the recorder died each time that it read this");
          caution.begins(exchange);
          for (const one of await Promise.race([decodeCalls(exchange, options), late])) done.calls.push(one);
        } catch (error) {
          done.undecoded.push(keep(exchange, error as Error));
        }
      }
    } finally {
      clearTimeout(timer);
    }
    for (const [i, step] of sockets.entries()) {
      if (i > 0 && i % TURN_EXCHANGES === 0) await turn();
      done.calls.push(...callsOf(step));
    }
    done.sessions = sessionsOf(sockets);
    return done;
  }

  /** No promise: what stumbles, stumbles here. */
  function callsOf({ source, state, output }: SocketStep<SessionStretch>): DecodedExchange[] {
    if (!output || output.calls.length === 0) return [];
    try {
      if (caution.isDeadly(source)) throw new Error("the recorder died each time that it read this");
      caution.begins(source);
      return output.calls.map((child) => decodeChild(source, child, options));
    } catch {
      reading.fail(state);
      return [];
    }
  }

  function sessionsOf(sockets: readonly SocketStep<SessionStretch>[]): SessionStep[] {
    const byId = Map.groupBy(sockets, ({ source }) => source.id);
    return [...byId.values()].map((steps) => {
      const { source, state } = steps[0] as SocketStep<SessionStretch>;
      return {
        origin: source.origin,
        session: reading.sessionOf(source, state),
        turns: steps.flatMap(({ output }) => output?.turns ?? []),
        ended: steps.some(({ ended }) => ended),
      };
    });
  }

  function keep(exchange: Exchange, { message }: Error): Undecoded {
    if (Date.now() > hourEndsAt) {
      hourEndsAt = Date.now() + HOUR_MS;
      bytes = 0;
    }
    const bodies = contentKey !== null && bytes < BODIES_BYTES_AN_HOUR;
    const sealed = sealExchange(spoolKey, exchange, bodies);
    bytes += sealed.length;
    const without =
      bodies || contentKey === null ? "" : "; too many at once, so that this one is kept without its bodies";
    return { id: exchange.id, origin: exchange.origin, reason: `cannot be read: ${message}${without}`, sealed };
  }
}
