import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, objectsIn, parseJson } from "../bodies/json.ts";
import type { SseEvent } from "../bodies/sse.ts";
import { sentence } from "../error.ts";
import type { ChildFacts, Facts } from "../facts.ts";
import { createStreamClock } from "../marks.ts";
import { noFacts } from "../no-facts.ts";
import { settleStream } from "../outcome.ts";
import { readPlain } from "../plain.ts";
import { settleUsage } from "../usage/settle.ts";
import { readUsage } from "../usage/usage.ts";
import { childOf, secondsToMs } from "./child.ts";

/**
 * Threads and runs of the Assistants interface. A run is what costs; its usage, which its steps state again in parts, comes with the end of
 * a stream or when the run is fetched afterwards, and is counted once, under the run's id.
 */
export function readThread(exchange: Exchange, bodies: Bodies): Facts {
  const facts = readPlain(exchange, bodies);
  const { response } = bodies;
  facts.conversationId = threadIn(exchange.start.upstreamTarget);
  if (response.kind === "stream") readRunStream(facts, exchange, bodies, response.events);
  if (response.kind !== "json") return facts;
  const { value } = response;
  if (value.object === "thread") facts.conversationId = asText(value.id);
  if (value.object === "thread.run") facts.conversationId = asText(value.thread_id) ?? facts.conversationId;
  const runs = value.object === "list" ? objectsIn(value.data) : [value];
  facts.children = runs.flatMap(finishedRun);
  return facts;
}

const threadIn = (path: string): string | null => /\/threads\/(thread_[^/?#]+)/.exec(path)?.[1] ?? null;

function readRunStream(facts: Facts, exchange: Exchange, bodies: Bodies, events: readonly SseEvent[]): void {
  const clock = createStreamClock();
  let run: JsonObject | null = null;
  let sawTerminal = false;
  for (const { event, data, atMs } of events) {
    if (event === "done" || data.startsWith("[DONE]")) sawTerminal = true;
    const value = asObject(parseJson(data));
    if (value?.object === "thread.run") run = value;
    if (value?.object === "thread.message.delta") clock.saw("text", atMs);
    if (value?.object === "thread.message" && event === "thread.message.completed") {
      facts.content.output.push({ role: asText(value.role) ?? "assistant", parts: texts(value) });
    }
  }
  facts.marks = clock.marks;
  facts.model = asText(run?.model);
  facts.conversationId = asText(run?.thread_id) ?? facts.conversationId;
  const id = asText(run?.id);
  facts.objectIds = id === null ? [] : [id];
  facts.countsFor = id;
  const instructions = asText(run?.instructions);
  if (instructions !== null) facts.content.input = [{ role: "system", parts: [{ type: "text", text: instructions }] }];
  readFailure(facts, run);
  settleStream(facts, exchange, bodies, sawTerminal || facts.error !== null);
  settleUsage(facts, run?.usage);
}

function texts(message: JsonObject) {
  return objectsIn(message.content).flatMap((part) => {
    const text = asText(asObject(part.text)?.value);
    return text === null ? [] : [{ type: "text" as const, text }];
  });
}

function finishedRun(run: JsonObject): ChildFacts[] {
  const id = asText(run.id);
  const createdAtMs = secondsToMs(run.created_at);
  if (run.object !== "thread.run" || id === null || createdAtMs === null || asObject(run.usage) === null) return [];
  const facts: Facts = {
    ...noFacts(),
    ...readUsage(run.usage, { produced: false, mixedInput: false }),
    model: asText(run.model),
    inputModalities: ["text"],
    outputModalities: ["text"],
    conversationId: asText(run.thread_id),
    finishReasons: [asText(asObject(run.incomplete_details)?.reason) ?? []].flat(),
    inherits: id,
    countsFor: id,
  };
  readFailure(facts, run);
  return [childOf("threads_run", [id], createdAtMs, facts)];
}

function readFailure(facts: Facts, run: JsonObject | null): void {
  if (run?.status !== "failed") return;
  const error = asObject(run.last_error);
  facts.outcome = "failed";
  facts.error ??= { type: null, code: asText(error?.code), message: sentence(error?.message) };
}
