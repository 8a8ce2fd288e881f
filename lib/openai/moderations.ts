import type { Part } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "./bodies/body.ts";
import { asArray, asText, objectsIn, shortJson } from "./bodies/json.ts";
import { modalitiesOf, readPart, readParts } from "./bodies/parts.ts";
import type { Facts } from "./facts.ts";
import { noFacts } from "./no-facts.ts";
import { readHttpError } from "./outcome.ts";
import { readRequest } from "./request.ts";

/** Moderation is free: a model answers, and nobody counts tokens. */
export function readModeration(exchange: Exchange, bodies: Bodies): Facts {
  const facts = noFacts();
  readRequest(facts, exchange, bodies.request);
  const input = inputParts(bodies.request?.input);
  if (input.length > 0) facts.content.input = [{ role: "user", parts: input }];
  facts.inputModalities = modalitiesOf(facts.content.input);
  if (bodies.response.kind === "json") {
    const { id, model, results } = bodies.response.value;
    facts.responseId = asText(id);
    facts.model = asText(model);
    const verdicts = objectsIn(results).map(
      (result): Part => ({ type: "other", kind: "moderation", json: shortJson(result) }),
    );
    if (verdicts.length > 0) facts.content.output = [{ role: "assistant", parts: verdicts }];
  }
  readHttpError(facts, exchange, bodies);
  return facts;
}

/** A text, texts, or parts as chat has them. */
function inputParts(input: unknown): Part[] {
  if (typeof input === "string") return readParts(input);
  const texts = asArray(input).flatMap((one) => (typeof one === "string" ? readParts(one) : []));
  return [...texts, ...objectsIn(input).map(readPart)];
}
