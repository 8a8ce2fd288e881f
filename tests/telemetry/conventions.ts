import type { Call } from "#lib/call.ts";
import type { Observation } from "#lib/observation.ts";
import type { ReceivedSpan } from "#tests/support/otlp-receiver.ts";

/**
 * What open-telemetry/semantic-conventions-genai says of the attributes of `gen_ai.client.inference`
 * (docs/gen-ai/client-inference.md, openai.md) and `gen_ai.client.embeddings` (client-embeddings.md), November 2026.
 * `always`: Required. A function: Conditionally Required, and there only under that condition. `maybe`: Recommended.
 */
type Level = "always" | "maybe" | ((call: Call, observation: Observation) => boolean);
type Type = "string" | "int" | "double" | "boolean" | "string[]";
type Table = Record<string, [Type, Level]>;

const COMMON: Table = {
  "gen_ai.operation.name": ["string", "always"],
  "gen_ai.provider.name": ["string", "always"],
  "error.type": ["string", ({ outcome }) => outcome !== "completed"],
  "gen_ai.request.model": ["string", ({ requestModel }) => requestModel !== null],
  "gen_ai.response.model": ["string", "maybe"],
  "gen_ai.usage.input_tokens": ["int", "maybe"],
  "server.address": ["string", "maybe"],
  // When server.address is there, as it is for every upstream of these tests.
  "server.port": ["int", () => true],
  // Of HTTP's conventions, which a span may carry besides.
  "http.response.status_code": ["int", ({ status }) => status !== null],
};

const EMBEDDINGS: Table = {
  ...COMMON,
  "gen_ai.embeddings.dimension.count": ["int", "maybe"],
  "gen_ai.request.encoding_formats": ["string[]", "maybe"],
};

const INFERENCE: Table = {
  ...COMMON,
  "gen_ai.conversation.id": ["string", ({ conversationId }) => conversationId !== null],
  "gen_ai.output.type": ["string", "maybe"],
  "gen_ai.prompt.name": ["string", ({ template }) => template !== null],
  "gen_ai.prompt.version": ["string", ({ template, templateVersion }) => template !== null && templateVersion !== null],
  "gen_ai.request.choice.count": ["int", (_, { settings }) => settings.choices !== null && settings.choices !== 1],
  "gen_ai.request.seed": ["int", (_, { settings }) => settings.seed !== null],
  "gen_ai.request.stream": ["boolean", ({ streamed }) => streamed],
  "gen_ai.request.frequency_penalty": ["double", "maybe"],
  "gen_ai.request.max_tokens": ["int", "maybe"],
  "gen_ai.request.presence_penalty": ["double", "maybe"],
  "gen_ai.request.previous_response.id": ["string", "maybe"],
  "gen_ai.request.reasoning.level": ["string", "maybe"],
  "gen_ai.request.stop_sequences": ["string[]", "maybe"],
  "gen_ai.request.temperature": ["double", "maybe"],
  "gen_ai.request.top_p": ["double", "maybe"],
  "gen_ai.response.finish_reasons": ["string[]", "maybe"],
  "gen_ai.response.id": ["string", "maybe"],
  "gen_ai.response.time_to_first_chunk": ["double", "maybe"],
  "gen_ai.usage.output_tokens": ["int", "maybe"],
  "gen_ai.usage.cache_read.input_tokens": ["int", "maybe"],
  "gen_ai.usage.cache_write.input_tokens": ["int", "maybe"],
  "gen_ai.usage.reasoning.output_tokens": ["int", "maybe"],
  "gen_ai.usage.text.input_tokens": ["int", "maybe"],
  "gen_ai.usage.audio.input_tokens": ["int", "maybe"],
  "gen_ai.usage.image.input_tokens": ["int", "maybe"],
  "gen_ai.usage.text.output_tokens": ["int", "maybe"],
  "gen_ai.usage.audio.output_tokens": ["int", "maybe"],
  "gen_ai.usage.image.output_tokens": ["int", "maybe"],
  "gen_ai.usage.text.cache_read.input_tokens": ["int", "maybe"],
  "gen_ai.usage.audio.cache_read.input_tokens": ["int", "maybe"],
  "gen_ai.usage.image.cache_read.input_tokens": ["int", "maybe"],
  "openai.api.type": ["string", "maybe"],
  "openai.request.service_tier": ["string", ({ requestServiceTier }) => requestServiceTier !== null],
  "openai.response.service_tier": ["string", ({ serviceTier }) => serviceTier !== null],
  "openai.response.system_fingerprint": ["string", "maybe"],
};

/** Neither: a plain request to the provider. */
const PLAIN: Table = {
  "http.request.method": ["string", "always"],
  "http.response.status_code": COMMON["http.response.status_code"] as [Type, Level],
  "error.type": COMMON["error.type"] as [Type, Level],
  "server.address": ["string", "always"],
  "server.port": ["int", "always"],
};

/** Ours, as README.md says. */
const OWN: Table = {
  "omnimeter.call.id": ["string", "always"],
  "omnimeter.operation.id": ["string", "always"],
  "omnimeter.attempt": ["int", "always"],
  "omnimeter.endpoint": ["string", "always"],
  "omnimeter.upstream": ["string", "always"],
  "omnimeter.outcome": ["string", "always"],
  "omnimeter.environment": ["string", "always"],
  "omnimeter.usage.source": ["string", "always"],
  "omnimeter.feature": ["string", ({ feature }) => feature !== null],
  "omnimeter.customer": ["string", ({ customer }) => customer !== null],
  "omnimeter.session": ["string", ({ session }) => session !== null],
  "omnimeter.release": ["string", ({ release }) => release !== null],
  "omnimeter.upstream_request.id": ["string", ({ upstreamRequestId }) => upstreamRequestId !== null],
  "omnimeter.overhead.ms": ["double", ({ timings }) => timings.sentMs !== null],
  "omnimeter.tool_calls.names": ["string[]", ({ toolCalls }) => toolCalls.length > 0],
  "omnimeter.problems": ["string[]", ({ problems }) => problems.length > 0],
  "omnimeter.cost.usd": ["double", "maybe"],
  "omnimeter.cost.usd_exact": ["string", "maybe"],
  "omnimeter.cost.estimated_usd": ["double", "maybe"],
  "omnimeter.cost.estimated_usd_exact": ["string", "maybe"],
  "omnimeter.cost.unpriced_lines": ["int", ({ lines }) => lines.some((line) => line.costUsd === null)],
  "omnimeter.usage.estimated_input_tokens": ["int", "maybe"],
  "omnimeter.usage.estimated_output_tokens": ["int", "maybe"],
};

const TYPES: Record<Type, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string" && value !== "",
  int: Number.isSafeInteger,
  // The SDK sends a whole number as an integer.
  double: Number.isFinite,
  boolean: (value) => typeof value === "boolean",
  "string[]": (value) => Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string"),
};

/** Sentences about what a span says against the tables; none when it is right. */
export function differences({ name, kind, attributes, status }: ReceivedSpan, observation: Observation): string[] {
  const { call } = observation;
  const operation = attributes["gen_ai.operation.name"];
  const table = { ...(operation === undefined ? PLAIN : operation === "embeddings" ? EMBEDDINGS : INFERENCE), ...OWN };
  const wrong: string[] = [];
  if (kind !== 3) wrong.push(`kind ${kind} is not CLIENT`);
  const model = attributes["gen_ai.request.model"];
  const expectedName =
    operation === undefined ? `${call.method} ${call.endpoint}` : [operation, model ?? []].flat().join(" ");
  if (name !== expectedName) wrong.push(`the name is "${name}", not "${expectedName}"`);
  const isError = !["completed", "client_aborted"].includes(call.outcome);
  if (status.code !== (isError ? 2 : 0)) wrong.push(`the status of ${call.outcome} is ${status.code}`);
  for (const [key, value] of Object.entries(attributes)) {
    const [type] = table[key] ?? [];
    if (!type) wrong.push(`${key} is in no table`);
    else if (!TYPES[type](value)) wrong.push(`${key} is ${JSON.stringify(value)}, no ${type}`);
  }
  for (const [key, [, level]] of Object.entries(table)) {
    if (level === "maybe") continue;
    const must = level === "always" || level(call, observation);
    if (must !== key in attributes) wrong.push(`${key} ${must ? "is missing" : "is there without a reason"}`);
  }
  return wrong;
}
