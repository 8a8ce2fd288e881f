import type { Exchange } from "#lib/exchange.ts";
import type { Log } from "#lib/log.ts";
import { type SideChannel, sideChannelOf } from "#lib/openai/sessions/side-channel.ts";
import { type JoinCallOptions, type JoinEnding, type JoinedCall, joinCall } from "./join-call.ts";

/** Listens to the calls over WebRTC and SIP that exchanges set up, so that they are recorded like any other session. */
export interface CallJoiner {
  /** Joins what these set up. Never throws, and nobody waits for it. */
  join(exchanges: readonly Exchange[]): void;
  /** How many calls, by what became of them. */
  counts(): Record<JoinResult, number>;
  /** Listens to nothing any more. */
  stop(): void;
}

type JoinResult = "joined" | "failed" | "too_many" | "too_late";

export interface CallJoinerOptions {
  /** Upstream → key. A call of any other upstream is not listened to: no key goes where it does not belong. */
  keys: Readonly<Record<string, string>>;
  /** `ws://host:port` of our own proxy; null: not known. */
  proxyUrl: () => string | null;
  log: Pick<Log, "warnOnce">;
  /** Test seams. */
  callsMax?: number;
  pausesMs?: JoinCallOptions["pausesMs"];
}

const CALLS_MAX = 200;
const PAUSES_MS = [500, 2000, 8000];
/** The provider ends a session after 60 minutes. */
const LIFE_MS_MAX = 65 * 60_000;
/** What was set up longer ago is backlog: such a call may be over, and its beginning is lost. */
const AGE_MS_MAX = 60_000;
/** Ids of calls that were joined: one that is accepted twice is joined once. Only young ones can come again. */
const KNOWN_MAX = 10_000;
/** What an application says about a call, whatever the header. Anything else is not ours to repeat. */
const ATTRIBUTION = /^(?:x-omnimeter-.*|baggage|traceparent)$/i;

export function createCallJoiner(options: CallJoinerOptions): CallJoiner {
  const { keys, proxyUrl, log, callsMax = CALLS_MAX, pausesMs = PAUSES_MS } = options;
  const counts = { joined: 0, failed: 0, too_many: 0, too_late: 0 };
  const known = new Set<string>();
  const open = new Set<JoinedCall>();
  let stopped = false;

  return {
    join(exchanges) {
      if (stopped) return;
      for (const exchange of exchanges) {
        const channel = sideChannelOf(exchange);
        if (channel) listen(exchange, channel);
      }
    },
    counts: () => ({ ...counts }),
    stop() {
      stopped = true;
      for (const one of open) one.stop();
    },
  };

  function listen({ start }: Exchange, channel: SideChannel) {
    const key = Object.hasOwn(keys, start.upstream) ? keys[start.upstream] : undefined;
    if (key === undefined || !isNew(`${start.upstream} ${channel.callId}`)) return;
    if (Date.now() - start.startedAtMs > AGE_MS_MAX) {
      counts.too_late++;
      return;
    }
    if (open.size >= callsMax) {
      counts.too_many++;
      log.warnOnce("too_many_joined", `${callsMax} calls are listened to already: more are not, and are counted`);
      return;
    }
    const proxy = proxyUrl();
    if (proxy === null) return over({ end: "failed", cause: "the proxy's port is not known" });
    const [name, value] = channel.credential(key);
    const headers = { ...attributionOf(start.headers), [name]: value, "user-agent": "omnimeter" };
    const call = joinCall({
      ...{ url: proxy + channel.target, headers, pausesMs, lifeMsMax: LIFE_MS_MAX },
      onJoined: () => void counts.joined++,
      // Not before joinCall has returned.
      onOver: (why) =>
        queueMicrotask(() => {
          open.delete(call);
          over(why);
        }),
    });
    open.add(call);
  }

  function isNew(call: string): boolean {
    if (known.has(call)) return false;
    known.add(call);
    if (known.size > KNOWN_MAX) known.delete(known.values().next().value as string);
    return true;
  }

  function over(why: JoinEnding) {
    if (!("cause" in why)) return;
    counts.failed++;
    const sentence =
      why.end === "refused"
        ? `the key in OMNIMETER_JOIN_CALLS_KEY is refused (${why.cause}): give one that may use the realtime API in the project of these calls`
        : `a call could not be listened to (${why.cause}): what is said in it is not recorded`;
    log.warnOnce(`join_${why.end}`, `${sentence}. This is said once; /metrics counts on.`);
  }
}

/** As they were recorded, to be sent again: of a header that came several times, its values in one. */
function attributionOf(headers: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (ATTRIBUTION.test(name)) found[name] = found[name] === undefined ? value : `${found[name]},${value}`;
  }
  return found;
}
