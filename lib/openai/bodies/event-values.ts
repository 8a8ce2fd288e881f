import { readBareError, readError } from "../error.ts";
import type { Facts } from "../facts.ts";
import type { JsonObject } from "./json.ts";
import { asObject, asText, parseJson } from "./json.ts";
import type { SseEvent } from "./sse.ts";

export interface EventValue {
  /** What it says it is, in itself or by its name; `[DONE]` for the mark at the end, which has no value. */
  readonly kind: string;
  readonly value: JsonObject;
  readonly atMs: number;
}

/** The events of a stream of audio or images, in order. One that is no JSON is passed over and a problem; an error in one is the call's. */
export function* eventValues(facts: Facts, events: readonly SseEvent[]): Generator<EventValue> {
  for (const { event, data, atMs, unfinished } of events) {
    if (data.startsWith("[DONE]")) {
      yield { kind: "[DONE]", value: {}, atMs };
      continue;
    }
    const value = asObject(parseJson(data));
    if (value === null) {
      if (!unfinished && !facts.problems.includes("event_unreadable")) facts.problems.push("event_unreadable");
      continue;
    }
    const kind = asText(value.type) ?? event ?? "";
    facts.error ??= readError(value) ?? (kind === "error" || event === "error" ? readBareError(value) : null);
    yield { kind, value, atMs };
  }
}
