import { STATUS_CODES } from "node:http";
import WebSocket from "ws";

export interface JoinCallOptions {
  /** `ws://…`, the side channel of one call. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Before each new try. */
  pausesMs: readonly number[];
  /** From the first try on. */
  lifeMsMax: number;
  /** The first time that it listens. */
  onJoined: () => void;
  /** Once, when it listens no more. */
  onOver: (why: JoinEnding) => void;
}

/** `over`: it has listened. `refused`: the key is not taken. `failed`: it never listened; `cause` is a word or two. */
export type JoinEnding = { end: "over" | "stopped" } | { end: "refused" | "failed"; cause: string };

export interface JoinedCall {
  stop(): void;
}

/** Whoever closes with these is going away or starting again, while the call goes on; 1006: no word at all. */
const GOES_ON = new Set([1001, 1006, 1012]);
/** Another try would be answered the same. */
const REFUSED = new Set([401, 403]);
const HANDSHAKE_MS = 15_000;

/**
 * Listens to one call, and never says anything into it: what is heard, the proxy records.
 *
 *     try ── opened ──► listening ── closed by the other side, or too old ──► over
 *      ▲ │                  │
 *      │ └── failed ──┐     └── the proxy or the provider goes away ──┐
 *      └──── pause ◄──┴───────────────────────────────────────────────┘      no pause left, or the key is refused: over
 */
export function joinCall(options: JoinCallOptions): JoinedCall {
  const { url, headers, pausesMs, lifeMsMax, onJoined, onOver } = options;
  let tries = 0;
  let joined = false;
  let isOver = false;
  let socket: WebSocket | null = null;
  let pause: NodeJS.Timeout | undefined;
  const life = setTimeout(() => giveUp("it took too long"), lifeMsMax);
  attempt();
  return { stop: () => end({ end: "stopped" }) };

  function attempt() {
    let cause = "closed";
    let status: number | null = null;
    let opened = false;
    tries++;
    try {
      socket = new WebSocket(url, {
        headers,
        handshakeTimeout: HANDSHAKE_MS,
        perMessageDeflate: false,
        // Nothing of it is read here.
        skipUTF8Validation: true,
      });
    } catch (error) {
      // A header that was recorded need not be one that can be sent.
      return giveUp(wordOf(error as Error));
    }
    const one = socket;
    one.on("unexpected-response", (_, answer) => {
      status = answer.statusCode ?? null;
      cause = `${status} ${STATUS_CODES[status ?? 0] ?? ""}`.trim();
      // To its end, or the proxy takes it for an aborted call.
      answer.resume().on("close", () => one.terminate());
    });
    one.on("open", () => {
      opened = true;
      if (!joined) onJoined();
      joined = true;
    });
    one.on("error", (error) => {
      if (status === null) cause = wordOf(error);
    });
    one.on("close", (code) => {
      if (isOver) return;
      if (opened && !GOES_ON.has(code)) return end({ end: "over" });
      // A call that was lost and is not found again has ended meanwhile.
      const hasEnded = joined && status !== null;
      if (!joined && status !== null && REFUSED.has(status)) return end({ end: "refused", cause });
      const pauseMs = pausesMs[tries - 1];
      if (hasEnded || pauseMs === undefined) return giveUp(cause);
      pause = setTimeout(attempt, pauseMs);
    });
  }

  function giveUp(cause: string) {
    end(joined ? { end: "over" } : { end: "failed", cause });
  }

  function end(why: JoinEnding) {
    if (isOver) return;
    isOver = true;
    clearTimeout(life);
    clearTimeout(pause);
    socket?.close(1000);
    onOver(why);
  }
}

/** Never a header's value: a key is one. */
const wordOf = (error: Error): string => (error as NodeJS.ErrnoException).code || error.name;
