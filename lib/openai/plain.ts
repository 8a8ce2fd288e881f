import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "./bodies/body.ts";
import { asObject, asText, parseJson } from "./bodies/json.ts";
import { readBareError, readError } from "./error.ts";
import type { Facts } from "./facts.ts";
import { noFacts } from "./no-facts.ts";
import { readHttpError } from "./outcome.ts";
import { readRequest } from "./request.ts";

/** Every endpoint without a reader of its own: whose model, which object, what error. Usage stays unknown. */
export function readPlain(exchange: Exchange, bodies: Bodies): Facts {
  const facts = noFacts();
  readRequest(facts, exchange, bodies.request);
  // Inputs of these endpoints are not messages; they must not stand among the parameters.
  facts.content.parameters = {};
  const { response } = bodies;
  if (response.kind === "json") {
    facts.responseId = asText(response.value.id);
    facts.model = asText(response.value.model);
    // What is made here is referred to by what comes later, an upload also by the file that it became.
    const made = [facts.responseId, asText(asObject(response.value.file)?.id)];
    if (exchange.start.method === "POST") facts.objectIds = made.flatMap((id) => id ?? []);
  }
  if (response.kind === "stream") {
    facts.streamed = true;
    for (const { event, data } of response.events) {
      if (event !== "error" && !data.includes('"error"')) continue;
      const body = asObject(parseJson(data));
      facts.error ??= readError(body) ?? (event === "error" ? readBareError(body) : null);
    }
    if (facts.error !== null) facts.outcome = "failed";
  }
  readHttpError(facts, exchange, bodies);
  return facts;
}
