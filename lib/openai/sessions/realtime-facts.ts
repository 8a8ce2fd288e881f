import type { Media, Message, Outcome } from "#lib/call.ts";
import { wav } from "../audio/wav.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, objectsIn } from "../bodies/json.ts";
import { sentence } from "../error.ts";
import type { Facts } from "../facts.ts";
import { noFacts } from "../no-facts.ts";
import { toolCallOf } from "../response-items.ts";
import { settleUsage } from "../usage/settle.ts";
import type { AudioFormat } from "./realtime-audio.ts";
import { readItem } from "./realtime-input.ts";
import type { Draft, OpenResponse } from "./realtime-responses.ts";
import type { RealtimeState } from "./realtime-state.ts";
import { estimateOutput } from "./realtime-usage.ts";

/** What is known of a response: from the event that ends it (`stated`), else from what was streamed of it. */
export function readFacts(state: RealtimeState, open: OpenResponse, stated: JsonObject | null): Facts {
  const { config } = state;
  const instructions = open.instructions ?? config.instructions;
  const facts = noFacts();
  facts.streamed = true;
  facts.requestModel = state.requestModel;
  facts.model = asText(stated?.model) ?? config.model;
  facts.responseId = open.isNamed ? open.id : null;
  // Several may listen to one call: the application, and Omnimeter itself. Whom it is for, whoever set it up said.
  if (state.transport === "side_channel") facts.countsFor = facts.responseId;
  facts.inherits = state.providerCallId;
  facts.conversationId = asText(stated?.conversation_id);
  facts.hints = {
    ...facts.hints,
    metadata: open.metadata,
    safetyIdentifier: state.safetyIdentifier,
    promptId: config.promptId,
    promptVersion: config.promptVersion,
  };
  facts.marks = open.marks;
  facts.problems = open.problems;
  facts.content.parameters = config.parameters;
  facts.content.tools = config.tools;
  facts.content.input = [
    ...(instructions === null ? [] : [{ role: "system", parts: [{ type: "text" as const, text: instructions }] }]),
    ...open.input.flatMap(({ messages }) => messages),
  ];
  readOutput(facts, open, stated);
  readStatus(facts, stated);
  settleUsage(facts, stated?.usage);
  const counted = generatedMs(open);
  const { output } = facts.content;
  const isHeardElsewhere = counted === 0 && output.some(({ parts }) => parts.some(({ type }) => type === "audio"));
  const audioMs = isHeardElsewhere ? null : counted;
  facts.outputAudioMs = audioMs;
  if (facts.usage.source === "none" && output.length > 0)
    estimateOutput(facts, audioMs, facts.problems.includes("usage_all_zero"));
  const lengths = open.input.flatMap(({ audioMs: ms }) => (ms === null ? [] : [ms]));
  facts.inputAudioMs = lengths.length === 0 ? null : lengths.reduce((sum, ms) => sum + ms, 0);
  keepMedia(facts, open);
  return facts;
}

const generatedMs = ({ drafts, format }: OpenResponse): number =>
  drafts.reduce((sum, draft) => sum + draft.audioBytes, 0) / format.bytesPerMs;

function readOutput(facts: Facts, open: OpenResponse, stated: JsonObject | null): void {
  const whole = objectsIn(stated?.output);
  const items = whole.length > 0 ? whole : open.drafts.map(itemOf);
  const messages = items.flatMap((item) => {
    const draft = open.drafts.find(({ id }) => id === item.id);
    const said = item.type === "message" ? { role: "assistant", ...item } : item;
    return readItem(said, open.format).map((message) => ({ draft, message }));
  });
  for (const { draft, message } of messages) {
    const audio = message.parts.find((part) => part.type === "audio");
    if (audio?.type === "audio" && draft && draft.audioBytes > 0) audio.bytes = draft.audioBytes;
    // An item that was begun and never filled.
    message.parts = message.parts.filter((part) => part.type !== "audio" || part.bytes !== null || part.transcript);
  }
  facts.content.output = messages.map(({ message }) => message).filter(({ parts }) => parts.length > 0);
  facts.toolCalls = items.flatMap((item) => toolCallOf(item) ?? []).map((call, index) => ({ ...call, index }));
}

/** In the shape in which `response.done` would hold it. */
function itemOf(draft: Draft): JsonObject {
  const { id, type, name, callId, text, transcript, audioBytes: bytes } = draft;
  if (type === "function_call" || (type === "" && draft.arguments !== ""))
    return { id, type: "function_call", name, call_id: callId, arguments: draft.arguments };
  const content: JsonObject[] = [];
  if (text !== "") content.push({ type: "output_text", text });
  if (bytes > 0 || transcript !== "") content.push({ type: "output_audio", transcript });
  return { id, type: type || "message", role: "assistant", content };
}

function readStatus(facts: Facts, stated: JsonObject | null): void {
  const status = asText(stated?.status);
  const details = asObject(stated?.status_details);
  const reason = asText(details?.reason);
  if (status !== null && status !== "completed") facts.finishReasons = [reason ?? status];
  const error = asObject(details?.error);
  if (status !== "failed" && error === null) return;
  facts.error = { type: asText(error?.type), code: asText(error?.code), message: sentence(error?.message) };
}

/** By its reason before its status: some servers call an interruption incomplete. */
export function outcomeOf(stated: JsonObject): Outcome {
  const reason = asText(asObject(stated.status_details)?.reason);
  if (reason === "turn_detected" || reason === "client_cancelled" || stated.status === "cancelled")
    return "client_aborted";
  return stated.status === "failed" ? "failed" : "completed";
}

/** As files that play; each of them is named by the part of the content that it is. */
function keepMedia(facts: Facts, open: OpenResponse): void {
  const add = (direction: Media["direction"], base64: readonly string[], format: AudioFormat, said: Message[]) => {
    if (base64.length === 0) return;
    const part = said.flatMap(({ parts }) => parts).find(({ type }) => type === "audio");
    if (part?.type === "audio") part.media = facts.media.length;
    const bytes = wav(samples(base64), format);
    facts.media.push({ index: facts.media.length, direction, mediaType: "audio/wav", bytes });
  };
  for (const { media, format, messages } of open.input) add("input", media, format, messages);
  add("output", open.kept ?? [], open.format, facts.content.output);
}

const samples = (base64: readonly string[]): Buffer => Buffer.concat(base64.map((text) => Buffer.from(text, "base64")));
