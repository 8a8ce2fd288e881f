import type { ExchangeStart } from "#lib/exchange.ts";
import type { Session, SessionEnd, SessionKind, SessionTransport } from "#lib/session.ts";
import { header } from "../bodies/body.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asText } from "../bodies/json.ts";
import { findEndpoint } from "../endpoints.ts";
import type { AudioClock } from "./realtime-audio.ts";
import { newAudioClock } from "./realtime-audio.ts";
import type { RealtimeConfig } from "./realtime-config.ts";
import { defaultConfig } from "./realtime-config.ts";
import type { InputState } from "./realtime-input.ts";
import { newInput } from "./realtime-input.ts";
import type { Responses } from "./realtime-responses.ts";
import { newResponses } from "./realtime-responses.ts";
import type { Transcriptions } from "./realtime-transcriptions.ts";
import { newTranscriptions } from "./realtime-transcriptions.ts";
import type { Translation } from "./realtime-translation.ts";
import { newTranslation } from "./realtime-translation.ts";
import type { Turns } from "./realtime-turns.ts";
import { newTurns } from "./realtime-turns.ts";
import type { SessionOutput } from "./session-reader.ts";
import type { SocketLog } from "./socket-log.ts";
import { newSocketLog } from "./socket-log.ts";

/** All that is known of a realtime session between two messages: a JSON value, each of whose lists has a limit. */
export interface RealtimeState {
  /** The exchange's. */
  id: string;
  startedAtMs: number;
  kind: SessionKind;
  transport: SessionTransport;
  requestModel: string | null;
  safetyIdentifier: string | null;
  log: SocketLog;
  config: RealtimeConfig;
  providerId: string | null;
  providerCallId: string | null;
  expiresAt: number | null;
  endReason: SessionEnd | null;
  clock: AudioClock;
  /** Whether any audio was seen, whose length can then be counted. */
  sawAudioIn: boolean;
  audioOutMs: number | null;
  idleMs: number;
  lastAtMs: number;
  toolCalls: number;
  errors: number;
  rateLimits: Session["rateLimits"];
  rateLimitEvents: number;
  input: InputState;
  responses: Responses;
  transcriptions: Transcriptions;
  turns: Turns;
  translation: Translation;
}

/** One event with where and when it was said, and what it completed. */
export interface Step {
  state: RealtimeState;
  event: JsonObject;
  /** Since the session's start. */
  atMs: number;
  /** On the wire. */
  bytes: number;
  out: SessionOutput;
}

/** What events mean, by their names. */
export type Handlers = Record<string, ((step: Step) => void) | undefined>;

export function openRealtime(id: string, start: ExchangeStart): RealtimeState {
  const query = new URLSearchParams(/\?([^#]*)/.exec(start.upstreamTarget)?.[1] ?? "");
  const requestModel = asText(query.get("model") ?? query.get("deployment"));
  const providerCallId = asText(query.get("call_id"));
  const isTranslation = findEndpoint("GET", start.upstreamTarget).name === "realtime_translations";
  const kind = isTranslation ? "translation" : query.get("intent") === "transcription" ? "transcription" : "realtime";
  return {
    id,
    startedAtMs: start.startedAtMs,
    kind,
    transport: providerCallId === null ? "websocket" : "side_channel",
    requestModel,
    safetyIdentifier: header(start.headers, "openai-safety-identifier"),
    log: newSocketLog(),
    config: defaultConfig(requestModel),
    providerId: null,
    providerCallId,
    expiresAt: null,
    endReason: null,
    clock: newAudioClock(),
    sawAudioIn: false,
    audioOutMs: null,
    idleMs: 0,
    lastAtMs: 0,
    toolCalls: 0,
    errors: 0,
    rateLimits: {},
    rateLimitEvents: 0,
    input: newInput(),
    responses: newResponses(),
    transcriptions: newTranscriptions(),
    turns: newTurns(),
    translation: newTranslation(),
  };
}
