import type { ExchangeEnd, ExchangeStart } from "#lib/exchange.ts";
import { type DecodedExchange, type DecodeOptions, decodeChild } from "#lib/recorder/decode-exchange.ts";
import { createSocketReading } from "#lib/recorder/read-sockets.ts";
import type { CallSource } from "#lib/recorder/to-call.ts";
import type { Session, Turn } from "#lib/session.ts";
import { type OtherWhose, otherHeaders } from "../others/other-exchange.ts";
import type { DrawnVoice, VoiceEnding } from "./draw-voice.ts";
import { messagesOf } from "./messages.ts";

/** A session with its turns, as it is stored when it is over. */
export interface MadeSession {
  readonly session: Session;
  readonly turns: Turn[];
  readonly origin: CallSource["origin"];
  readonly ended: true;
  readonly resumedFrom: string | null;
}

export interface VoiceCall {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly model: string;
  readonly whose: OtherWhose;
  readonly origin: CallSource["origin"];
  readonly resumedFrom: string | null;
}

/** Reads a session that was drawn as the recorder reads those that the proxy heard. */
export function readVoice(
  { id, startedAt, model, whose, origin, resumedFrom }: VoiceCall,
  { events, endMs }: DrawnVoice,
  ending: VoiceEnding,
  options: DecodeOptions,
): { calls: DecodedExchange[]; made: MadeSession } {
  const source: CallSource = { id, origin, start: startOf(model, startedAt, whose) };
  const reading = createSocketReading({ ...options, caution: { isDeadly: () => false, begins() {} } });
  const state = reading.open(source);
  const messages = messagesOf(events);
  const stretches = [
    ...messages.map((message) => reading.take(source, state, message, false)),
    reading.close(source, state, endOf(ending, endMs), endMs),
  ].filter((stretch) => stretch !== null);
  return {
    calls: stretches.flatMap(({ calls }) => calls.map((child) => decodeChild(source, child, options))),
    made: {
      session: reading.sessionOf(source, state),
      turns: stretches.flatMap(({ turns }) => turns),
      origin,
      ended: true,
      resumedFrom,
    },
  };
}

function startOf(model: string, startedAt: number, whose: OtherWhose): ExchangeStart {
  const target = `/v1/realtime?model=${model}`;
  return {
    kind: "websocket",
    method: "GET",
    target,
    upstreamTarget: target,
    upstream: "default",
    upstreamOrigin: "https://api.openai.com",
    headers: ["sec-websocket-protocol", "realtime", ...otherHeaders(whose)],
    startedAtMs: startedAt,
  };
}

function endOf(ending: VoiceEnding, endMs: number): ExchangeEnd {
  const ways = {
    client_closed: { closeCode: 1000, closedBy: "client" },
    expired: { closeCode: 1001, closedBy: "server" },
    lost: { closeCode: null, closedBy: null },
  } as const;
  return {
    ending: ending === "lost" ? "upstream_reset" : "completed",
    ...(ending === "lost" && { cause: "the upstream closed the connection" }),
    requestEndAtMs: null,
    sentAtMs: 1,
    connectMs: 38,
    responseEndAtMs: endMs,
    endAtMs: endMs,
    requestBytes: 0,
    responseBytes: 0,
    socket: { ...ways[ending], clientBytes: 0, upstreamBytes: 0 },
  };
}
