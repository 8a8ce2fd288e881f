import type { Message, Part, ToolCall } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "./bodies/body.ts";
import type { JsonObject } from "./bodies/json.ts";
import { asObject, asText, objectsIn, parseJson } from "./bodies/json.ts";
import { base64Bytes, mediaType, readParts, textOf } from "./bodies/parts.ts";
import type { SseEvent } from "./bodies/sse.ts";
import { readBareError, readError } from "./error.ts";
import type { Facts } from "./facts.ts";
import type { Saw } from "./marks.ts";
import { createStreamClock } from "./marks.ts";
import { secondsToMs } from "./objects/child.ts";
import { readHttpError, settleStream } from "./outcome.ts";
import { settleUsage } from "./usage/settle.ts";

/**
 * Reads the answer of chat and of legacy completions into the facts. A whole answer is a stream of one chunk: its
 * `message` has the fields of a `delta`.
 */
export function readAnswer(facts: Facts, exchange: Exchange, bodies: Bodies, answer: Answer): void {
  const { response } = bodies;
  if (response.kind === "json") answer.add(response.value);
  if (response.kind === "stream") {
    facts.streamed = true;
    readStream(facts, response.events, answer);
    settleStream(facts, exchange, bodies, answer.done);
  }
  facts.responseId = answer.id;
  facts.model = answer.model;
  facts.serviceTier = answer.serviceTier;
  facts.systemFingerprint = answer.systemFingerprint;
  facts.generatedAtMs = secondsToMs(answer.created);

  const choices = [...answer.choices].sort(([a], [b]) => a - b);
  facts.finishReasons = choices.flatMap(([, choice]) => choice.finishReason ?? []);
  facts.toolCalls = toolCalls(choices);
  const format = asObject(bodies.request?.audio)?.format;
  facts.content.output = choices.map(([index, choice]) => outputMessage(index, choice, choices.length, format));
  readHttpError(facts, exchange, bodies);
  settleUsage(facts, answer.usage);
}

export interface Answer {
  /** A chunk or a whole body; what of content it brought, null for none. */
  add(chunk: JsonObject): Saw | null;
  id: string | null;
  model: string | null;
  serviceTier: string | null;
  systemFingerprint: string | null;
  /** Seconds since the epoch, as sent. */
  created: unknown;
  usage: unknown;
  done: boolean;
  readonly choices: Map<number, Choice>;
}

interface Choice {
  text: string;
  refusal: string;
  reasoning: string;
  transcript: string;
  audioBytes: number;
  finishReason: string | null;
  readonly tools: Map<number, Tool>;
}

interface Tool {
  id: string | null;
  name: string;
  type: string;
  arguments: string;
}

export function createAnswer(): Answer {
  const answer: Answer = {
    add,
    id: null,
    model: null,
    serviceTier: null,
    systemFingerprint: null,
    created: null,
    usage: null,
    done: false,
    choices: new Map(),
  };
  return answer;

  function add(chunk: JsonObject): Saw | null {
    // Azure's first chunk names neither id nor model: the first that does counts. The tier served is stated last.
    answer.id ??= asText(chunk.id);
    answer.model ??= asText(chunk.model);
    answer.serviceTier = asText(chunk.service_tier) ?? answer.serviceTier;
    answer.systemFingerprint = asText(chunk.system_fingerprint) ?? answer.systemFingerprint;
    answer.created ??= chunk.created;
    // Chunks with `usage: null` stand before the one that counts, and sometimes after it.
    answer.usage = chunk.usage ?? answer.usage;
    let saw: Saw | null = null;
    for (const [position, item] of objectsIn(chunk.choices).entries()) {
      saw = more(saw, addChoice(answer.choices, item, position));
    }
    return saw;
  }
}

function readStream(facts: Facts, events: readonly SseEvent[], answer: Answer): void {
  const clock = createStreamClock();
  for (const { event, data, atMs, unfinished } of events) {
    if (data.startsWith("[DONE]")) {
      answer.done = true;
      continue;
    }
    const chunk = asObject(parseJson(data));
    if (chunk === null) {
      if (!unfinished && !facts.problems.includes("event_unreadable")) facts.problems.push("event_unreadable");
      continue;
    }
    facts.error ??= readError(chunk) ?? (event === "error" ? readBareError(chunk) : null);
    const saw = answer.add(chunk);
    if (saw !== null) clock.saw(saw, atMs);
  }
  facts.marks = clock.marks;
}

function addChoice(choices: Map<number, Choice>, item: JsonObject, position: number): Saw | null {
  const index = typeof item.index === "number" ? item.index : position;
  let choice = choices.get(index);
  if (!choice) {
    choice = {
      text: "",
      refusal: "",
      reasoning: "",
      transcript: "",
      audioBytes: 0,
      finishReason: null,
      tools: new Map(),
    };
    choices.set(index, choice);
  }
  choice.finishReason = asText(item.finish_reason) ?? choice.finishReason;
  const saw = addText(choice, item.text);
  // Azure sends chunks with neither.
  const delta = asObject(item.delta) ?? asObject(item.message);
  return delta === null ? saw : more(saw, addDelta(choice, delta));
}

function addDelta(choice: Choice, delta: JsonObject): Saw | null {
  let saw = addText(choice, delta.content);
  const refusal = asText(delta.refusal);
  if (refusal !== null) {
    choice.refusal += refusal;
    saw = "text";
  }
  // Not OpenAI's, but what compatible servers call it.
  const reasoning = asText(delta.reasoning_content) ?? asText(delta.reasoning);
  if (reasoning !== null) {
    choice.reasoning += reasoning;
    saw ??= "other";
  }
  for (const call of objectsIn(delta.tool_calls)) saw = more(saw, addToolCall(choice.tools, call));
  const legacy = asObject(delta.function_call);
  if (legacy !== null) saw = more(saw, addToolCall(choice.tools, { index: 0, type: "function", function: legacy }));
  const audio = asObject(delta.audio);
  return audio === null ? saw : more(saw, addAudio(choice, audio));
}

function addText(choice: Choice, content: unknown): Saw | null {
  const text = typeof content === "string" ? content : Array.isArray(content) ? textOfParts(content) : "";
  if (text === "") return null;
  choice.text += text;
  return "text";
}

function textOfParts(content: unknown[]): string {
  return textOf({ role: "assistant", parts: readParts(content) });
}

/** The id and the name come in the first fragment only; servers that send calls whole leave out the index. */
function addToolCall(tools: Map<number, Tool>, call: JsonObject): Saw | null {
  const called = asObject(call.function) ?? asObject(call.custom);
  const id = asText(call.id);
  const name = asText(called?.name);
  const begins = id !== null || name !== null;
  const index = typeof call.index === "number" ? call.index : Math.max(0, begins ? tools.size : tools.size - 1);
  let tool = tools.get(index);
  if (!tool) {
    tool = { id: null, name: "", type: "function", arguments: "" };
    tools.set(index, tool);
  }
  tool.id ??= id;
  if (tool.name === "" && name !== null) tool.name = name;
  tool.type = asText(call.type) ?? tool.type;
  const fragment = asText(called?.arguments) ?? asText(called?.input);
  if (fragment !== null) tool.arguments += fragment;
  return begins || fragment !== null ? "other" : null;
}

/** The last chunk of an audio stream holds only the time when the audio expires. */
function addAudio(choice: Choice, audio: JsonObject): Saw | null {
  const transcript = asText(audio.transcript);
  const data = asText(audio.data);
  if (transcript !== null) choice.transcript += transcript;
  if (data !== null) choice.audioBytes += base64Bytes(data) ?? 0;
  if (data !== null) return "audio";
  return transcript === null ? null : "text";
}

/** One chunk can bring several things: what a person perceives wins over arguments and reasoning. */
function more(a: Saw | null, b: Saw | null): Saw | null {
  return a === null || (a === "other" && b !== null) ? b : a;
}

function toolCalls(choices: [number, Choice][]): ToolCall[] {
  const calls = choices.flatMap(([choice, { tools }]) => [...tools.values()].map((tool) => ({ choice, tool })));
  return calls.map(({ choice, tool }, index) => ({
    index,
    id: tool.id,
    type: tool.type,
    name: tool.name,
    argumentBytes: Buffer.byteLength(tool.arguments),
    choice,
  }));
}

function outputMessage(index: number, choice: Choice, choices: number, format: unknown): Message {
  const parts: Part[] = [];
  if (choice.reasoning) parts.push({ type: "reasoning", text: choice.reasoning });
  if (choice.text) parts.push({ type: "text", text: choice.text });
  if (choice.refusal) parts.push({ type: "refusal", text: choice.refusal });
  if (choice.audioBytes > 0 || choice.transcript) {
    const transcript = choice.transcript ? { transcript: choice.transcript } : {};
    parts.push({ type: "audio", mediaType: mediaType("audio", format), bytes: choice.audioBytes, ...transcript });
  }
  for (const { id, name, type, arguments: text } of choice.tools.values()) {
    parts.push({ type: "tool_call", id, name, arguments: text, kind: type });
  }
  return { role: "assistant", parts, ...(choices > 1 && { choice: index }) };
}
