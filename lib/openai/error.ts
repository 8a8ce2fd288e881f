import type { JsonObject } from "./bodies/json.ts";
import { asObject, asText } from "./bodies/json.ts";
import type { Facts } from "./facts.ts";

/**
 * The error a body or event states, or null. OpenAI nests it in `error`; the Responses `error` event and some gateways
 * put the fields at the top; some servers send a bare sentence.
 */
export function readError(body: JsonObject | null): Facts["error"] {
  if (body === null) return null;
  const nested = body.error;
  if (typeof nested === "string") return { type: null, code: null, message: sentence(nested) };
  const error = asObject(nested);
  if (error === null) return null;
  return { type: asText(error.type), code: code(error.code), message: sentence(error.message) };
}

/** For bodies that are known to be errors: by their status, or by the name of their event. */
export function readBareError(body: JsonObject | null): Facts["error"] {
  if (body === null) return null;
  const message = sentence(body.message ?? body.detail);
  const type = body.type === "error" ? null : asText(body.type);
  const number = code(body.code ?? body.statusCode);
  return message === null && number === null ? null : { type, code: number, message };
}

/** Azure sends some codes as numbers. */
function code(value: unknown): string | null {
  return typeof value === "number" ? String(value) : asText(value);
}

/** A 401 repeats a part of the key in its text. */
export function sentence(value: unknown): string | null {
  const text = asText(value);
  return text === null ? null : text.slice(0, 2000).replace(/\b(sk|ek|sess)-[\w*.-]{4,}/g, "$1-…");
}
