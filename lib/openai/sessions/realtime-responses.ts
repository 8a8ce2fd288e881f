import type { Outcome } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText } from "../bodies/json.ts";
import type { ChildFacts, Marks } from "../facts.ts";
import { createStreamClock, noMarks, type Saw } from "../marks.ts";
import type { AudioFormat } from "./realtime-audio.ts";
import { audioBytes, isElided } from "./realtime-audio.ts";
import { outcomeOf, readFacts } from "./realtime-facts.ts";
import type { InputItem } from "./realtime-input.ts";
import { takeInput } from "./realtime-input.ts";
import type { RealtimeState, Step } from "./realtime-state.ts";
import { WORDS_LET_GO } from "./session-reader.ts";
import { note } from "./socket-log.ts";

export interface Responses {
  open: OpenResponse[];
  /** Ids of the last that are over: what repeats one is not counted again. */
  over: string[];
  /** How many without an id there were. */
  unnamed: number;
  /** How many were asked for beside the conversation, and have not begun. */
  apartAsked: number;
}

export const newResponses = (): Responses => ({ open: [], over: [], unnamed: 0, apartAsked: 0 });

/** A response that is being made. Milliseconds since the session's start; `marks` since its own. */
export interface OpenResponse {
  id: string;
  isNamed: boolean;
  createdMs: number;
  /** When it was asked for: the user was done. The call begins there, as an HTTP call does when its request is whole. */
  askedMs: number;
  marks: Marks;
  lastAudioMs: number | null;
  /** How its audio is written. */
  format: AudioFormat;
  bytes: number;
  requestBytes: number;
  /** Beside the conversation: no turn of it. */
  apart: boolean;
  input: InputItem[];
  instructions: string | null;
  drafts: Draft[];
  /** In them. */
  characters: number;
  metadata: Record<string, string>;
  /** Base64 of its audio; null: some of it is not there. */
  kept: string[] | null;
  keptCharacters: number;
  problems: string[];
}

/** An item as far as it was streamed. */
export interface Draft {
  id: string;
  type: string;
  name: string | null;
  callId: string | null;
  text: string;
  transcript: string;
  arguments: string;
  audioBytes: number;
}

/** Id of the response that an event belongs to; where none is named, the only one there is. */
export function responseIdOf({ state, event }: Step): string | null {
  const { open } = state.responses;
  const id = asText(event.response_id) ?? asText(asObject(event.response)?.id);
  return id ?? (open.length === 1 ? (open[0] as OpenResponse).id : null);
}

/** Begins one, with all that was said since the last. */
export function openResponse({ state, atMs, out }: Step, id: string | null, apart: boolean): OpenResponse {
  const { responses } = state;
  const { items, bytes, instructions } = takeInput(state.input);
  const response: OpenResponse = {
    id: id ?? `unnamed_${responses.unnamed++}`,
    isNamed: id !== null,
    createdMs: atMs,
    askedMs: atMs,
    marks: noMarks(),
    lastAudioMs: null,
    format: state.config.output,
    bytes: 0,
    requestBytes: bytes,
    apart,
    input: items,
    instructions,
    drafts: [],
    characters: 0,
    metadata: {},
    kept: [],
    keptCharacters: 0,
    problems: [],
  };
  responses.open.push(response);
  if (responses.open.length > OPEN_MAX) {
    note(state.log.problems, "too_many_open_responses");
    out.calls.push(closeResponse(state, responses.open[0] as OpenResponse, null, atMs, "truncated"));
  }
  return response;
}

const OPEN_MAX = 16;
const OVER_KEPT = 64;
const CHARACTERS_MAX = 512 * 1024;
const DRAFTS_MAX = 64;
const KEPT_CHARACTERS_MAX = (4 * 1024 * 1024 * 4) / 3;

/** A delta of any kind. */
export function addDelta(response: OpenResponse, event: JsonObject, field: DeltaField, atMs: number): void {
  const delta = asText(event.delta);
  if (delta === null) return;
  sawContent(response, SAW[field], atMs);
  const draft = draftOf(response, asText(event.item_id) ?? `${event.output_index ?? 0}`);
  if (field === "audio") {
    draft.audioBytes += audioBytes(delta);
    response.lastAudioMs = atMs;
    keep(response, delta);
    return;
  }
  response.characters += delta.length;
  if (response.characters <= CHARACTERS_MAX) draft[field] += delta;
  else note(response.problems, "response_cut");
}

export type DeltaField = "text" | "transcript" | "audio" | "arguments";
const SAW: Record<DeltaField, Saw> = { text: "text", transcript: "text", audio: "audio", arguments: "other" };

export function sawContent(response: OpenResponse, what: Saw, atMs: number): void {
  createStreamClock(response.marks).saw(what, atMs - response.createdMs);
}

/** What an item is called, when it is begun. */
export function addDraft(response: OpenResponse, item: JsonObject | null): void {
  const id = asText(item?.id);
  if (item === null || id === null) return;
  const draft = draftOf(response, id);
  draft.type = asText(item.type) ?? draft.type;
  draft.name = asText(item.name) ?? draft.name;
  draft.callId = asText(item.call_id) ?? draft.callId;
}

function draftOf(response: OpenResponse, id: string): Draft {
  const known = response.drafts.find((draft) => draft.id === id);
  if (known) return known;
  const draft = { id, type: "", name: null, callId: null, text: "", transcript: "", arguments: "", audioBytes: 0 };
  if (response.drafts.length < DRAFTS_MAX) response.drafts.push(draft);
  return draft;
}

function keep(response: OpenResponse, base64: string): void {
  if (response.kept === null) return;
  response.keptCharacters += base64.length;
  if (isElided(base64)) response.kept = null;
  else if (response.keptCharacters > KEPT_CHARACTERS_MAX) {
    response.kept = null;
    note(response.problems, "audio_too_long_to_keep");
  } else response.kept.push(base64);
}

/** Of an answer what is told at its end stays: its last event repeats the words. */
export function letGoOfAnswer(response: OpenResponse): void {
  note(response.problems, WORDS_LET_GO);
  response.input = response.input.map((one) => ({ ...one, messages: [], media: [] }));
  response.instructions = null;
  response.drafts = response.drafts.map((draft) => ({ ...draft, text: "", transcript: "", arguments: "" }));
  response.characters = CHARACTERS_MAX;
  response.kept = null;
}

/** `outcome` for a response whose end was not seen; `stated`: what its last event says, null for none. */
export function closeResponse(
  state: RealtimeState,
  open: OpenResponse,
  stated: JsonObject | null,
  atMs: number,
  outcome: Outcome,
): ChildFacts {
  const { responses } = state;
  responses.open = responses.open.filter((one) => one !== open);
  responses.over = [...responses.over, open.id].slice(-OVER_KEPT);
  const facts = readFacts(state, open, stated);
  const waitedMs = open.createdMs - open.askedMs;
  const durationMs = atMs - open.askedMs;
  facts.marks = later(facts.marks, waitedMs);
  return {
    key: [state.id, open.id],
    endpoint: "realtime",
    startedAtMs: state.startedAtMs + open.askedMs,
    timings: {
      requestEndMs: 0,
      sentMs: 0,
      firstByteMs: waitedMs,
      responseEndMs: durationMs,
      durationMs: stated === null ? null : durationMs,
    },
    outcome: stated === null ? outcome : outcomeOf(stated),
    status: null,
    requestBytes: open.requestBytes,
    responseBytes: open.bytes,
    facts,
  };
}

const later = (marks: Marks, ms: number): Marks => ({
  ...marks,
  firstTokenMs: marks.firstTokenMs === null ? null : marks.firstTokenMs + ms,
  firstTextMs: marks.firstTextMs === null ? null : marks.firstTextMs + ms,
  firstAudioMs: marks.firstAudioMs === null ? null : marks.firstAudioMs + ms,
  lastTokenMs: marks.lastTokenMs === null ? null : marks.lastTokenMs + ms,
});
