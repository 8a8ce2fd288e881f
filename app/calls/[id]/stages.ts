import type { CallFacts } from "#db/queries/call-page.ts";

export interface Stage {
  name: string;
  /** Whose time it is. */
  whose: "client" | "omnimeter" | "upstream";
  /** Milliseconds since the request's head arrived; null when an end of the stage was not seen. */
  span: { fromMs: number; toMs: number } | null;
  /** Why there is no span, or what else to know. */
  note: string | null;
}

export type Moments = Pick<
  CallFacts,
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
 *   head of the request        sent      connected   first byte   first token   last token     end at us  end at the client
 *   |── request upload ──|
 *   |──── our queue ───────────|─ connect ─|─ to first byte ─|─ to first token ─|─ generation ─|── rest ──|─ delivery ─|
 *
 * The upload may still run while the request goes upstream, so stages can overlap. A moment that was not seen leaves its
 * stages without a bar: nothing is made up.
 */
export function stagesOf(moments: Moments): Stage[] {
  const { requestEndMs, sentMs, connectMs, firstByteMs, firstTokenMs, lastTokenMs, responseEndMs, durationMs } =
    moments;
  const connectedMs = sentMs === null ? null : sentMs + (connectMs ?? 0);
  const stages: Stage[] = [
    stage("Request upload", "client", 0, requestEndMs, "the end of the request was not seen"),
    stage("Until sent upstream", "omnimeter", 0, sentMs, "nothing was sent upstream"),
    connectMs === null
      ? {
          name: "Connect",
          whose: "upstream",
          span: null,
          note: sentMs === null ? "no connection was made" : "none: an open connection was used",
        }
      : stage("Connect", "upstream", sentMs, connectedMs, "no connection was made"),
    stage("To first byte", "upstream", connectedMs, firstByteMs, "no answer was seen"),
  ];
  if (firstTokenMs !== null) {
    stages.push(stage("To first token", "upstream", firstByteMs, firstTokenMs, "the head of the answer was not seen"));
    stages.push(stage("Generation", "upstream", firstTokenMs, lastTokenMs, "the last token was not seen"));
    stages.push(
      stage("After the last token", "upstream", lastTokenMs, responseEndMs, "the end of the answer was not seen"),
    );
  } else
    stages.push(
      stage(
        "Answer",
        "upstream",
        firstByteMs,
        responseEndMs,
        firstByteMs === null ? "no answer was seen" : "the end of the answer was not seen",
      ),
    );
  stages.push(stage("Delivery to the client", "omnimeter", responseEndMs, durationMs, "the end was not seen"));
  return stages;
}

/** The last moment seen: where the scale ends. */
export function lastMoment(moments: Moments): number {
  const { requestEndMs, sentMs, firstByteMs, firstTokenMs, lastTokenMs, responseEndMs, durationMs } = moments;
  return Math.max(
    ...[requestEndMs, sentMs, firstByteMs, firstTokenMs, lastTokenMs, responseEndMs, durationMs].map((ms) => ms ?? 0),
  );
}

function stage(
  name: string,
  whose: Stage["whose"],
  fromMs: number | null,
  toMs: number | null,
  missing: string,
): Stage {
  if (fromMs === null || toMs === null) return { name, whose, span: null, note: missing };
  // Clocks of two threads may disagree by microseconds.
  return { name, whose, span: { fromMs: Math.min(fromMs, toMs), toMs }, note: null };
}
