import type { RequestSettings } from "#lib/observation.ts";
import { asArray, asObject, asText } from "./bodies/json.ts";

/** From a request's parameters (`Content.parameters`). What has the wrong type was not said. */
export function readSettings(parameters: Record<string, unknown>): RequestSettings {
  return {
    maxTokens: whole(parameters.max_completion_tokens ?? parameters.max_tokens ?? parameters.max_output_tokens),
    temperature: number(parameters.temperature),
    topP: number(parameters.top_p),
    frequencyPenalty: number(parameters.frequency_penalty),
    presencePenalty: number(parameters.presence_penalty),
    stopSequences: texts(typeof parameters.stop === "string" ? [parameters.stop] : parameters.stop),
    seed: whole(parameters.seed),
    choices: whole(parameters.n),
    reasoningLevel: name(parameters.reasoning_effort ?? asObject(parameters.reasoning)?.effort),
    outputType: outputType(parameters),
    dimensions: whole(parameters.dimensions),
    encodingFormat: name(parameters.encoding_format),
  };
}

function outputType({ modalities, response_format, text }: Record<string, unknown>): RequestSettings["outputType"] {
  if (asArray(modalities).includes("audio")) return "speech";
  const format = asText((asObject(response_format) ?? asObject(asObject(text)?.format))?.type);
  if (format === null) return null;
  return format.startsWith("json") ? "json" : "text";
}

/** Real ones are far shorter. */
const TEXT_CHARACTERS_MAX = 128;
const TEXTS_MAX = 16;

const name = (value: unknown): string | null => asText(value)?.slice(0, TEXT_CHARACTERS_MAX) ?? null;

const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

const whole = (value: unknown): number | null => (Number.isSafeInteger(value) ? (value as number) : null);

function texts(value: unknown): string[] | null {
  const found = asArray(value).filter((one) => typeof one === "string");
  return found.length > 0 ? found.slice(0, TEXTS_MAX).map((one) => one.slice(0, TEXT_CHARACTERS_MAX)) : null;
}
