import type { Timed } from "#db/queries/comparable-calls.ts";

export type Whose = "client" | "omnimeter" | "upstream";

/** Milliseconds since the request's head arrived. */
export interface Span {
  fromMs: number;
  toMs: number;
}

export interface Stage {
  name: string;
  /** Whose time it is. */
  whose: Whose;
  /** null when an end of the stage was not seen, or there was no such stage. */
  span: Span | null;
  /** How long it took; 0 where nothing had to be done. null: not known. */
  ms: number | null;
  /** Why there is no span, or what else to know. */
  note: string | null;
  /** As the object of "1.4 s of it …". */
  words: string;
}

export type Moments = Pick<
  Timed,
  | "streamed"
  | "requestEndMs"
  | "sentMs"
  | "connectMs"
  | "firstByteMs"
  | "firstTokenMs"
  | "lastTokenMs"
  | "responseEndMs"
  | "durationMs"
>;

/**
 *   head of the request          connected and sent     first byte    first token    last token     end at us   end at the client
 *   |─ upload ─|─ our queue ─|─ connect ─|─ to first byte ─|─ to first token ─|─ generation ─|─ rest ─|─ delivery ─|
 *
 * A request goes upstream on a connection that is open, so connecting lies before it. An upload may still run while the
 * upstream has its beginning: only what was waited for is in nobody else's time. A moment that was not seen leaves its
 * stages without a bar: nothing is made up.
 */
export function stagesOf(moments: Moments): Stage[] {
  const { sentMs, connectMs, firstByteMs, firstTokenMs, lastTokenMs, responseEndMs, durationMs } = moments;
  const hereMs = sentMs === null ? null : waitedForClient(moments, sentMs);
  const connectsMs = sentMs === null || hereMs === null ? null : Math.max(hereMs, sentMs - (connectMs ?? 0));
  const stages = [
    upload(moments),
    stage("Our queue", "omnimeter", "in Omnimeter's own queue", hereMs, connectsMs, "nothing was sent upstream"),
    connect(moments, connectsMs),
    stage("To first byte", "upstream", "upstream before the first byte", sentMs, firstByteMs, "no answer was seen"),
  ];
  const end = "the end of the answer was not seen";
  if (moments.streamed || firstTokenMs !== null) {
    const none = firstByteMs === null ? "no answer was seen" : "no token was seen";
    const first = ["To first token", "upstream", "upstream before the first token"] as const;
    stages.push(stage(...first, firstByteMs, firstTokenMs, firstTokenMs === null ? none : "no head was seen"));
    stages.push(stage("Generation", "upstream", "in generation", firstTokenMs, lastTokenMs, none));
    const restFromMs = firstTokenMs === null ? firstByteMs : lastTokenMs;
    stages.push(
      stage("Rest", "upstream", "after the last token", restFromMs, responseEndMs, restFromMs === null ? none : end),
    );
  } else {
    const none = firstByteMs === null ? "no answer was seen" : end;
    stages.push(stage("Answer", "upstream", "in the answer", firstByteMs, responseEndMs, none));
  }
  const late = "the end was not seen";
  stages.push(stage("Delivery", "omnimeter", "in delivery to the client", responseEndMs, durationMs, late));
  return stages;
}

/** The last moment seen: where the scale ends at least. */
export function lastMoment(moments: Moments): number {
  const { requestEndMs, sentMs, firstByteMs, firstTokenMs, lastTokenMs, responseEndMs, durationMs } = moments;
  return Math.max(
    ...[requestEndMs, sentMs, firstByteMs, firstTokenMs, lastTokenMs, responseEndMs, durationMs].map((ms) => ms ?? 0),
  );
}

/**
 * Whose time the call took; the three sum to its duration. As the functions call_client_ms and call_own_ms of the database
 * count it, so that the page agrees with all sums. null: not enough was seen.
 */
export function whoseTime(moments: Moments): Record<Whose, number> | null {
  const { sentMs, responseEndMs, durationMs } = moments;
  if (sentMs === null || durationMs === null) return null;
  const client = waitedForClient(moments, sentMs);
  const queue = Math.max(0, sentMs - client - (moments.connectMs ?? 0));
  const omnimeter = queue + (responseEndMs === null ? 0 : Math.max(durationMs - responseEndMs, 0));
  return { client, omnimeter, upstream: durationMs - client - omnimeter };
}

/** Until the request was here, as far as that was waited for. */
const waitedForClient = ({ requestEndMs }: Moments, sentMs: number) => Math.min(requestEndMs ?? 0, sentMs);

function upload(moments: Moments): Stage {
  const { requestEndMs, sentMs } = moments;
  const whole = stage("Request upload", "client", "in the client's upload", 0, requestEndMs, "its end was not seen");
  if (sentMs === null || requestEndMs === null || requestEndMs <= sentMs) return whole;
  return { ...whole, note: "went on while the upstream had its beginning" };
}

function connect({ sentMs, connectMs }: Moments, fromMs: number | null): Stage {
  const one = stage("Connect", "upstream", "in connecting to the upstream", fromMs, sentMs, "no connection was made");
  if (sentMs === null || connectMs !== null) return one;
  return { ...one, span: null, ms: 0, note: "no new connection was opened" };
}

function stage(
  name: string,
  whose: Whose,
  words: string,
  fromMs: number | null,
  toMs: number | null,
  missing: string,
): Stage {
  if (fromMs === null || toMs === null) return { name, whose, words, span: null, ms: null, note: missing };
  // Clocks of two threads may disagree by microseconds.
  const span = { fromMs: Math.min(fromMs, toMs), toMs };
  return { name, whose, words, span, ms: span.toMs - span.fromMs, note: null };
}
