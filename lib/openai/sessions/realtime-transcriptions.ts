import type { Outcome } from "#lib/call.ts";
import { isSeconds, withMilliseconds } from "../audio/transcription-usage.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText } from "../bodies/json.ts";
import { readBareError, readError } from "../error.ts";
import type { ChildFacts, Facts, Marks } from "../facts.ts";
import { createStreamClock, noMarks } from "../marks.ts";
import { noFacts } from "../no-facts.ts";
import { settleUsage } from "../usage/settle.ts";
import { milliseconds } from "./realtime-config.ts";
import { addTranscript, speechMs } from "./realtime-input.ts";
import type { RealtimeState, Step } from "./realtime-state.ts";
import { useSeconds } from "./realtime-usage.ts";
import { note } from "./socket-log.ts";

/** What somebody said, on its way to being written down: a charge of its own, at the transcription model's rates. */
export interface Transcriptions {
  open: OpenTranscription[];
  /** Keys of the last that are over. */
  over: string[];
  /** How many stated their usage. */
  stated: number;
  /** How many named no item. */
  unnamed: number;
}

interface OpenTranscription {
  key: string;
  itemId: string;
  /** The speech was handed in, or the first word came. */
  startedMs: number;
  marks: Marks;
  text: string;
  bytes: number;
}

export const newTranscriptions = (): Transcriptions => ({ open: [], over: [], stated: 0, unnamed: 0 });

/** A piece of speech was handed in: what is written down of it is measured from here. */
export function beginTranscription(state: RealtimeState, itemId: string | null, atMs: number): void {
  if (itemId !== null && (state.config.transcriptionModel !== null || state.kind === "transcription"))
    transcriptionOf(state, itemId, itemId, atMs);
}

export function addTranscriptionDelta({ state, event, atMs, bytes }: Step): void {
  const key = keyOf(event);
  const delta = asText(event.delta) ?? asText(event.text);
  if (key === null || delta === null || state.transcriptions.over.includes(key)) return;
  const open = transcriptionOf(state, key, asText(event.item_id) ?? key, atMs);
  createStreamClock(open.marks).saw("text", atMs - open.startedMs);
  open.bytes += bytes;
  if (open.text.length + delta.length <= TEXT_MAX) open.text += delta;
}

/** `…transcription.completed` or `.failed`. null: told before. */
export function endTranscription({ state, event, atMs, bytes }: Step, outcome: Outcome): ChildFacts | null {
  const { transcriptions } = state;
  const key = keyOf(event) ?? `unnamed_${transcriptions.unnamed++}`;
  if (transcriptions.over.includes(key)) {
    note(state.log.problems, "transcription_repeated");
    return null;
  }
  const itemId = asText(event.item_id) ?? key;
  const open = transcriptionOf(state, key, itemId, atMs);
  open.bytes += bytes;
  transcriptions.open = transcriptions.open.filter((one) => one !== open);
  transcriptions.over = [...transcriptions.over, key].slice(-OVER_KEPT);
  const call = callOf(state, open, event, atMs, outcome);
  if (call.facts.usage.source === "reported") transcriptions.stated++;
  const transcript = asText(event.transcript);
  if (transcript !== null) {
    addTranscript(state.input.items, itemId, transcript);
    for (const { input } of state.responses.open) addTranscript(input, itemId, transcript);
  }
  return call;
}

/**
 * Those of which words had come when the session ended. Of the others nobody knows whether they were more than noise; and who listens to a
 * call may come back for all of them.
 */
export function cutTranscriptions(state: RealtimeState, atMs: number, outcome: Outcome): ChildFacts[] {
  if (state.transport === "side_channel") return [];
  const begun = state.transcriptions.open.filter(({ text }) => text !== "");
  return begun.map((open) => callOf(state, open, null, atMs, outcome));
}

/** `event` null: its end was not seen. */
function callOf(
  state: RealtimeState,
  open: OpenTranscription,
  event: JsonObject | null,
  atMs: number,
  outcome: Outcome,
): ChildFacts {
  const durationMs = atMs - open.startedMs;
  return {
    key: [state.id, "transcription", open.key],
    endpoint: "realtime_transcription",
    startedAtMs: state.startedAtMs + open.startedMs,
    timings: { responseEndMs: durationMs, durationMs: event && durationMs },
    outcome,
    status: null,
    requestBytes: 0,
    responseBytes: open.bytes,
    facts: readFacts(state, open, event ?? {}),
  };
}

function readFacts(state: RealtimeState, open: OpenTranscription, event: JsonObject): Facts {
  const facts = noFacts();
  const audioMs = speechMs(state.input, open.itemId);
  const { mediaType, bytesPerMs } = state.config.input;
  facts.streamed = true;
  facts.hints.safetyIdentifier = state.safetyIdentifier;
  if (state.transport === "side_channel") facts.countsFor = open.key;
  facts.inherits = state.providerCallId;
  facts.model = state.config.transcriptionModel ?? (state.kind === "transcription" ? state.config.model : null);
  facts.requestModel = facts.model;
  facts.marks = open.marks;
  facts.inputAudioMs = audioMs;
  facts.content.input = [
    { role: "user", parts: [{ type: "audio", mediaType, bytes: audioMs && Math.round(audioMs * bytesPerMs) }] },
  ];
  const text = asText(event.transcript) ?? open.text;
  if (text !== "") facts.content.output = [{ role: "assistant", parts: [{ type: "text", text }] }];
  facts.error = asObject(event.error) && (readError(event) ?? readBareError(event));
  readUsage(facts, event.usage);
  // Whole seconds are what is stated elsewhere. A session that only transcribes is billed by all of it when nothing is stated.
  if (text !== "" && facts.usage.source === "none" && audioMs !== null && state.kind !== "transcription")
    useSeconds(facts, Math.ceil(audioMs / 1000), "measured");
  return facts;
}

/** Tokens, or seconds. */
function readUsage(facts: Facts, usage: unknown): void {
  const stated = asObject(usage);
  const isDuration = stated?.type === "duration" || (stated !== null && "seconds" in stated);
  settleUsage(facts, isDuration ? null : usage);
  if (!isDuration) return;
  if (isSeconds(stated?.seconds)) useSeconds(facts, withMilliseconds(facts, stated.seconds), "reported");
  else facts.problems.push("usage_bad_number");
}

function transcriptionOf(
  { transcriptions }: RealtimeState,
  key: string,
  itemId: string,
  atMs: number,
): OpenTranscription {
  const known = transcriptions.open.find((one) => one.key === key);
  if (known) return known;
  const open = { key, itemId, startedMs: atMs, marks: noMarks(), text: "", bytes: 0 };
  transcriptions.open.push(open);
  // Most of what is never written down was noise.
  if (transcriptions.open.length > OPEN_MAX) transcriptions.open.shift();
  return open;
}

const OPEN_MAX = 32;
const OVER_KEPT = 64;
const TEXT_MAX = 64 * 1024;

/** An item has one part, mostly. */
function keyOf(event: JsonObject): string | null {
  const itemId = asText(event.item_id);
  const index = milliseconds(event.content_index) ?? 0;
  return itemId === null || index === 0 ? itemId : `${itemId}/${index}`;
}
