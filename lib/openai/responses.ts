import type { Message } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "./bodies/body.ts";
import type { JsonObject } from "./bodies/json.ts";
import { asArray, asObject, asText, objectsIn, parseJson } from "./bodies/json.ts";
import type { SseEvent } from "./bodies/sse.ts";
import { readBareError, readError, sentence } from "./error.ts";
import type { Facts } from "./facts.ts";
import { createStreamClock } from "./marks.ts";
import { noFacts } from "./no-facts.ts";
import { secondsToMs } from "./objects/child.ts";
import { readHttpError, settleStream } from "./outcome.ts";
import { idOf, readRequest } from "./request.ts";
import { createDrafts } from "./response-drafts.ts";
import { readInputItem, readOutputItem, toolCallOf } from "./response-items.ts";
import { readToolFees } from "./usage/fees.ts";
import { settleUsage } from "./usage/settle.ts";

/** Responses: created, streamed, compacted, retrieved, resumed or cancelled. */
export function readResponse(exchange: Exchange, bodies: Bodies): Facts {
  const facts = noFacts();
  readRequest(facts, exchange, bodies.request);
  const { response } = bodies;
  let last: JsonObject | null = null;
  let items: readonly JsonObject[] = [];
  if (response.kind === "json") {
    last = response.value;
    items = objectsIn(last.output);
  }
  if (response.kind === "stream") {
    facts.streamed = true;
    const stream = readStream(facts, response.events);
    last = stream.last;
    items = stream.items;
    settleEnd(facts, exchange, bodies, stream);
  }
  readObject(facts, last);
  readHttpError(facts, exchange, bodies);
  facts.content.input = inputMessages(bodies.request, last);
  facts.content.output = items.flatMap((item) => readOutputItem(item) ?? []);
  facts.toolCalls = items.flatMap((item) => toolCallOf(item) ?? []).map((call, index) => ({ ...call, index }));
  settleUsage(facts, last?.usage);
  readToolFees(facts, exchange.start.startedAtMs, bodies.request, last, items);
  return facts;
}

/** What the response object states; in a stream the last one does, which alone has usage and the tier served. */
function readObject(facts: Facts, response: JsonObject | null): void {
  if (response === null) return;
  facts.responseId = asText(response.id);
  // What was compacted names no model.
  facts.model = asText(response.model) ?? (response.object === "response.compaction" ? facts.requestModel : null);
  facts.generatedAtMs = secondsToMs(response.created_at);
  facts.serviceTier = asText(response.service_tier);
  facts.previousResponseId ??= asText(response.previous_response_id);
  facts.conversationId ??= idOf(response.conversation);
  facts.promptCacheKey ??= asText(response.prompt_cache_key);
  facts.finishReasons = finishReasons(response);
  if (response.status === "failed") {
    facts.outcome = "failed";
    const error = asObject(response.error);
    facts.error ??= { type: null, code: asText(error?.code), message: sentence(error?.message) };
  }
}

/** There are no choices here and `completed` says nothing new: only what cut an answer short is a reason. */
function finishReasons(response: JsonObject): string[] {
  if (response.status === "incomplete") return [asText(asObject(response.incomplete_details)?.reason) ?? "incomplete"];
  return response.status === "cancelled" ? ["cancelled"] : [];
}

interface Stream {
  readonly last: JsonObject | null;
  readonly items: readonly JsonObject[];
  readonly sawTerminal: boolean;
}

function readStream(facts: Facts, events: readonly SseEvent[]): Stream {
  const clock = createStreamClock();
  const drafts = createDrafts();
  let last: JsonObject | null = null;
  let sawTerminal = false;
  for (const { event: eventName, data, atMs, unfinished } of events) {
    // OpenAI sends no [DONE] here; compatible servers do.
    if (data.startsWith("[DONE]")) continue;
    const event = asObject(parseJson(data));
    if (event === null) {
      if (!unfinished && !facts.problems.includes("event_unreadable")) facts.problems.push("event_unreadable");
      continue;
    }
    const type = asText(event.type) ?? eventName ?? "";
    const saw = drafts.add(type, event);
    if (saw !== null) clock.saw(saw, atMs);
    last = asObject(event.response) ?? last;
    if (isTerminal(type)) sawTerminal = true;
    if (type === "error" || asObject(event.error) !== null) {
      facts.error ??= readError(event) ?? readBareError(event) ?? { type: null, code: null, message: null };
      sawTerminal = true;
    }
  }
  facts.marks = clock.marks;
  const whole = objectsIn(last?.output);
  return { last, items: whole.length > 0 ? whole : drafts.items(), sawTerminal };
}

/** The event after which nothing more comes of a response. */
export const isTerminal = (type: string): boolean => TERMINAL.has(type);

const TERMINAL = new Set(["response.completed", "response.incomplete", "response.failed", "response.cancelled"]);

/** A background response goes on without its listeners: a stream that stops early is neither truncated nor the whole bill. */
function settleEnd(facts: Facts, exchange: Exchange, bodies: Bodies, { last, sawTerminal }: Stream): void {
  if (last?.background === true && !sawTerminal) facts.problems.push(BACKGROUND_UNFINISHED);
  else settleStream(facts, exchange, bodies, sawTerminal);
}

/** Usage will be stated by a later retrieval; an estimate of what was heard so far would be wrong. */
export const BACKGROUND_UNFINISHED = "background_unfinished";

function inputMessages(request: JsonObject | null, response: JsonObject | null): Message[] {
  // With a stored prompt the request holds no messages; the response repeats them as its instructions.
  const instructions = request?.instructions ?? response?.instructions;
  const input = request?.input;
  return [
    ...(asText(instructions) ? [textMessage("system", asText(instructions) as string)] : []),
    ...asArray(instructions).flatMap(readInputItem),
    ...(asText(input) ? [textMessage("user", asText(input) as string)] : []),
    ...asArray(input).flatMap(readInputItem),
  ];
}

function textMessage(role: string, text: string): Message {
  return { role, parts: [{ type: "text", text }] };
}
