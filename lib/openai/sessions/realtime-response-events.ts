import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, objectsIn } from "../bodies/json.ts";
import type { Answer } from "./realtime-answer.ts";
import { audioCame, itemCame, responseOver } from "./realtime-answer.ts";
import { audioBytes } from "./realtime-audio.ts";
import { readOutputFormat } from "./realtime-config.ts";
import type { DeltaField, OpenResponse } from "./realtime-responses.ts";
import { addDelta, addDraft, closeResponse, openResponse, responseIdOf } from "./realtime-responses.ts";
import type { Handlers, RealtimeState, Step } from "./realtime-state.ts";
import { responseBegan } from "./realtime-turns.ts";
import { note } from "./socket-log.ts";

/** How a response comes into being, in both spellings: before and since the interface was declared stable. */
export const RESPONSE_EVENTS: Handlers = {
  "response.created": created,
  "response.output_item.added": itemBegan,
  "response.output_item.done": (step) => {
    itemBegan(step);
    if (asObject(step.event.item)?.type === "function_call") toolCalled(step);
  },
  "response.output_text.delta": delta("text"),
  "response.text.delta": delta("text"),
  "response.output_audio_transcript.delta": delta("transcript"),
  "response.audio_transcript.delta": delta("transcript"),
  "response.output_audio.delta": delta("audio"),
  "response.audio.delta": delta("audio"),
  "response.function_call_arguments.delta": delta("arguments"),
  "response.function_call_arguments.done": toolCalled,
  "response.done": done,
};

function created(step: Step): void {
  const { state, event } = step;
  const { responses } = state;
  const response = asObject(event.response);
  const id = asText(response?.id);
  if (id !== null && (responses.over.includes(id) || responses.open.some((one) => one.id === id))) {
    note(state.log.problems, "response_repeated");
    return;
  }
  const isListening = state.transport === "side_channel" && response?.conversation_id === null;
  const apart = isListening || (responses.apartAsked > 0 && asText(response?.conversation_id) === null);
  if (apart) responses.apartAsked = Math.max(0, responses.apartAsked - 1);
  const open = begin(step, id, apart);
  open.format = readOutputFormat(response ?? {}) ?? open.format;
  for (const [name, value] of Object.entries(asObject(response?.metadata) ?? {}).slice(0, METADATA_MAX))
    if (typeof value === "string") open.metadata[name] = value.slice(0, 512);
}

const METADATA_MAX = 16;

function begin(step: Step, id: string | null, apart: boolean): OpenResponse {
  const open = openResponse(step, id, apart);
  responseBegan(step, open);
  open.bytes += step.bytes;
  return open;
}

/** Opened now if its beginning was not seen; of one that is over nothing more is read. */
function responseOf(step: Step): OpenResponse | null {
  const { responses } = step.state;
  const id = responseIdOf(step);
  const known = responses.open.find((one) => one.id === id);
  if (known) {
    known.bytes += step.bytes;
    return known;
  }
  if (id !== null && responses.over.includes(id)) return null;
  const open = begin(step, id, false);
  note(open.problems, "created_not_seen");
  return open;
}

function itemBegan(step: Step): void {
  const response = responseOf(step);
  if (response === null) return;
  const item = asObject(step.event.item);
  addDraft(response, item);
  const answer = answerOf(step, response);
  if (answer !== null) itemCame(answer, asText(item?.id));
}

function delta(field: DeltaField): (step: Step) => void {
  return (step) => {
    const { event, atMs, state } = step;
    const response = responseOf(step);
    if (response === null) return;
    addDelta(response, event, field, atMs);
    const text = asText(event.delta);
    const ms = field === "audio" && text !== null ? audioBytes(text) / response.format.bytesPerMs : 0;
    countOut(state, ms);
    const answer = answerOf(step, response);
    if (answer === null || text === null) return;
    itemCame(answer, asText(event.item_id));
    if (field === "audio") {
      audioCame(answer, asText(event.item_id) ?? response.id, ms, atMs);
    } else if (field !== "arguments") answer.turn.firstTextMs ??= atMs;
  };
}

/** Audio that the provider sent, whatever of it was heard. */
export function countOut(state: RealtimeState, ms: number): void {
  if (ms > 0) state.audioOutMs = (state.audioOutMs ?? 0) + ms;
}

function answerOf({ state }: Step, response: OpenResponse): Answer | null {
  const { answer } = state.turns;
  return answer?.responses.includes(response.id) ? answer : null;
}

/** The arguments are whole: from now on it is the application's turn. */
function toolCalled(step: Step): void {
  const response = responseOf(step);
  const answer = response && answerOf(step, response);
  if (answer === null) return;
  const { turn } = answer;
  // Said twice, by the arguments and by the item: the first counts, unless another tool was called since.
  const callId = asText(step.event.call_id) ?? asText(asObject(step.event.item)?.call_id) ?? "";
  if (answer.called.includes(callId) || answer.called.length >= CALLED_MAX) return;
  answer.called.push(callId);
  answer.calledMs = step.atMs;
  if (turn.inputEndMs !== null) turn.modelMs ??= Math.max(0, step.atMs - turn.inputEndMs);
}

const CALLED_MAX = 128;

function done(step: Step): void {
  const { state, event, atMs, out } = step;
  const stated: JsonObject = asObject(event.response) ?? {};
  const response = responseOf(step);
  if (response === null) {
    note(state.log.problems, "response_repeated");
    return;
  }
  const answer = answerOf(step, response);
  const call = closeResponse(state, response, stated, atMs, "completed");
  state.toolCalls += call.facts.toolCalls.length;
  if (answer !== null) {
    answer.speaks = speaks(step, stated);
    for (const item of objectsIn(stated.output)) itemCame(answer, asText(item.id));
    responseOver(answer, call, response.lastAudioMs, atMs, asText(stated.status));
  }
  out.calls.push(call);
}

function speaks({ state }: Step, stated: JsonObject): boolean {
  const modalities = stated.output_modalities ?? stated.modalities;
  return Array.isArray(modalities) ? modalities.includes("audio") : state.config.speaks;
}
