import type { ExchangeEnd, RecordedMessage } from "#lib/exchange.ts";
import { asText } from "../bodies/json.ts";
import { CLIENT_EVENTS, SERVER_EVENTS } from "./realtime-events.ts";
import { letGoOfInput } from "./realtime-input.ts";
import { RESPONSE_EVENTS } from "./realtime-response-events.ts";
import { closeResponse, letGoOfAnswer } from "./realtime-responses.ts";
import type { RealtimeState, Step } from "./realtime-state.ts";
import { openRealtime } from "./realtime-state.ts";
import { cutTranscriptions } from "./realtime-transcriptions.ts";
import { sessionCall } from "./realtime-translation.ts";
import { finishTurns } from "./realtime-turns.ts";
import { cutOutcome, endReason } from "./session-end.ts";
import type { SessionFacts, SessionOutput, SessionReader } from "./session-reader.ts";
import { NOTHING, WORDS_LET_GO } from "./session-reader.ts";
import { countMessage, note, readEvent } from "./socket-log.ts";

/** Speech in, speech out; also sessions that only transcribe or translate, and side channels of calls by WebRTC or SIP. */
export const realtimeReader: SessionReader<RealtimeState> = { open: openRealtime, take, letGo, close, facts };

function take(state: RealtimeState, message: RecordedMessage): SessionOutput {
  const { log, input } = state;
  countMessage(log, message);
  if (message.from === "client") input.bytes += message.bytes;
  countIdle(state, message.atMs);
  const event = readEvent(log, message);
  if (event === null) return NOTHING;
  const type = asText(event.type) ?? "";
  const step: Step = { state, event, atMs: message.atMs, bytes: message.bytes, out: { calls: [], turns: [] } };
  try {
    if (message.from === "client") CLIENT_EVENTS[type]?.(step);
    else (RESPONSE_EVENTS[type] ?? SERVER_EVENTS[type])?.(step);
  } catch {
    // One event is lost, and says so; the session goes on.
    note(log.problems, "event_failed");
  }
  return step.out.calls.length === 0 && step.out.turns.length === 0 ? NOTHING : step.out;
}

/** Neither side spoke, and nothing was being made or played. */
function countIdle(state: RealtimeState, atMs: number): void {
  const { answer, input } = state.turns;
  const plays = answer !== null && answer.cutMs === null && answer.playedFromMs !== null && answer.playedToMs === null;
  const isBusy = state.responses.open.length > 0 || input?.speaking === true || plays;
  const heardMs = answer === null ? 0 : (answer.cutMs ?? answer.playsUntilMs ?? 0);
  if (!isBusy) state.idleMs += Math.max(0, atMs - Math.max(state.lastAtMs, heardMs));
  state.lastAtMs = Math.max(state.lastAtMs, atMs);
}

function letGo({ log, input, responses }: RealtimeState): void {
  note(log.problems, WORDS_LET_GO);
  letGoOfInput(input);
  for (const response of responses.open) letGoOfAnswer(response);
}

function close(state: RealtimeState, end: ExchangeEnd | null, atMs: number): SessionOutput {
  countIdle(state, atMs);
  const out: SessionOutput = { calls: [], turns: [] };
  const outcome = cutOutcome(end);
  for (const open of [...state.responses.open]) {
    const call = closeResponse(state, open, null, atMs, outcome);
    const { answer } = state.turns;
    if (answer?.responses.includes(open.id)) {
      answer.turn.callKey = call.key;
      answer.turn.callStartedAtMs = call.startedAtMs;
      answer.turn.model = call.facts.model ?? call.facts.requestModel;
    }
    out.calls.push(call);
  }
  finishTurns({ state, out }, atMs);
  out.calls.push(...cutTranscriptions(state, atMs, outcome));
  const whole = sessionCall(state, end, atMs);
  if (whole !== null) out.calls.push(whole);
  state.endReason ??= endReason(end);
  return out;
}

function facts(state: RealtimeState): SessionFacts {
  const { config, log, turns, clock } = state;
  const counted = state.kind === "realtime";
  return {
    ...log,
    problems: [...log.problems],
    kind: state.kind,
    transport: state.transport,
    providerId: state.providerId,
    providerCallId: state.providerCallId,
    model: config.model ?? config.transcriptionModel ?? state.requestModel,
    expiresAt: state.expiresAt,
    endReason: state.endReason,
    audioInMs: state.sawAudioIn || state.transport === "websocket" ? clock.appendedMs : null,
    audioOutMs: state.audioOutMs ?? (state.transport === "websocket" ? 0 : null),
    turns: counted ? turns.next : 0,
    idleMs: state.idleMs,
    toolCalls: state.toolCalls,
    bargeIns: turns.bargeIns,
    falseBargeIns: turns.falseBargeIns,
    wastedMs: turns.wastedMs,
    errors: state.errors,
    rateLimits: { ...state.rateLimits },
    rateLimitEvents: state.rateLimitEvents,
    hints: {
      metadata: {},
      user: null,
      safetyIdentifier: state.safetyIdentifier,
      promptId: config.promptId,
      promptVersion: config.promptVersion,
    },
  };
}
