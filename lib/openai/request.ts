import type { Exchange } from "#lib/exchange.ts";
import type { JsonObject } from "./bodies/json.ts";
import { asObject, asText, elideFiles, objectsIn } from "./bodies/json.ts";
import { deploymentInPath } from "./endpoints.ts";
import { withoutCredentials } from "./export/without-credentials.ts";
import type { Facts } from "./facts.ts";

/** What every request says in the same words: model, tier, attribution, parameters. Messages are the readers' own. */
export function readRequest(facts: Facts, exchange: Exchange, request: JsonObject | null): void {
  facts.requestModel = asText(request?.model) ?? deploymentInPath(exchange.start.upstreamTarget);
  facts.streamed = request?.stream === true;
  if (request === null) return;
  facts.requestServiceTier = asText(request.service_tier);
  facts.previousResponseId = asText(request.previous_response_id);
  facts.conversationId = idOf(request.conversation);
  facts.promptCacheKey = asText(request.prompt_cache_key);
  readHints(facts, request);
  facts.content.parameters = parameters(request);
  facts.content.tools = [...objectsIn(request.tools), ...objectsIn(request.functions)].map((tool) =>
    elideFiles(withoutCredentials(tool)),
  );
}

/** A conversation is named by its id or by an object with an id. */
export function idOf(value: unknown): string | null {
  return asText(value) ?? asText(asObject(value)?.id);
}

/** Tags of the application's own, in a request or in what an answer repeats of it. */
export function readMetadata({ hints }: Facts, source: JsonObject): void {
  for (const [key, value] of Object.entries(asObject(source.metadata) ?? {})) {
    if (typeof value === "string") hints.metadata[key] = value;
  }
}

function readHints(facts: Facts, request: JsonObject): void {
  const { hints } = facts;
  readMetadata(facts, request);
  hints.user = asText(request.user);
  hints.safetyIdentifier = asText(request.safety_identifier);
  const prompt = asObject(request.prompt);
  hints.promptId = asText(prompt?.id);
  hints.promptVersion = asText(prompt?.version);
}

/** Everything but what has a place of its own. */
function parameters(request: JsonObject): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const key in request) if (!ELSEWHERE.has(key)) kept[key] = elideFiles(request[key]);
  if (asObject(request.prompt)) kept.prompt = elideFiles(request.prompt);
  return kept;
}

const ELSEWHERE = new Set([
  "model",
  "messages",
  "input",
  "instructions",
  "prompt",
  "tools",
  "functions",
  "metadata",
  "user",
  "safety_identifier",
]);
