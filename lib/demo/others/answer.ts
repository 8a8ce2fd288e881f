import type { Random } from "../random.ts";

/** An answer as it goes over the wire: bytes, each with the moment it leaves (milliseconds since the request arrived). */
export interface Answer {
  readonly status: number;
  /** Name, value, name, value… */
  readonly headers: readonly string[];
  readonly headAtMs: number;
  readonly pieces: readonly { readonly atMs: number; readonly bytes: Buffer }[];
}

/** What is asked for on one of the paths that are played here. */
export interface Asked {
  readonly method: string;
  /** Below `/v1`, without a query. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

export const json = (random: Random, value: unknown, afterMs: number): Answer => ({
  status: 200,
  headers: ["content-type", "application/json", ...ids(random)],
  headAtMs: afterMs,
  pieces: [{ atMs: afterMs + 0.5, bytes: Buffer.from(JSON.stringify(value)) }],
});

/** What now and then comes instead: too many requests, or an error of the provider's own. */
export function refusal(random: Random): Answer {
  const [status, type, code, message] = random.chance(0.7)
    ? ([429, "requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 1.2s."] as const)
    : ([500, "server_error", null, "The server had an error while processing your request."] as const);
  return { ...json(random, { error: { message, type, param: null, code } }, 40), status };
}

export const bytes = (random: Random, type: string, whole: Buffer, firstMs: number, stepMs: number): Answer => ({
  status: 200,
  headers: ["content-type", type, ...ids(random)],
  headAtMs: firstMs,
  pieces: slices(whole, 16 << 10).map((part, n) => ({ atMs: firstMs + 0.5 + n * stepMs, bytes: part })),
});

export interface TimedEvent {
  readonly atMs: number;
  readonly event: { readonly type: string; readonly [field: string]: unknown };
}

/** `named`: events have names, as Responses do; else they are of `data:` alone and end with CRLF, as transcriptions do. */
export const events = (random: Random, list: readonly TimedEvent[], named: boolean): Answer => ({
  status: 200,
  headers: ["content-type", "text/event-stream; charset=utf-8", ...ids(random)],
  headAtMs: Math.max(0.5, (list[0]?.atMs ?? 1) - 5),
  pieces: list.map(({ atMs, event }) => ({
    atMs,
    bytes: Buffer.from(
      named ? `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n` : `data: ${JSON.stringify(event)}\r\n\r\n`,
    ),
  })),
});

const ids = (random: Random) => ["x-request-id", `req_${hex(random, 32)}`, "openai-version", "2020-10-01"];

export function hex(random: Random, digits: number): string {
  let text = "";
  while (text.length < digits) text += random.bits().toString(16).padStart(8, "0");
  return text.slice(0, digits);
}

function slices(whole: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, n) => whole.subarray(n * size, (n + 1) * size));
}

/** A request's JSON object; what is none is an empty one. */
export function objectIn({ body }: Asked): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export const textIn = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);
export const secondsSinceEpoch = (ms: number): number => Math.floor(ms / 1000);
/** About what a tokenizer says of English. */
export const tokensOf = (text: string): number => Math.max(1, Math.ceil(text.length / 4));
export const tokens = (input: number, output: number) => ({
  input_tokens: input,
  output_tokens: output,
  total_tokens: input + output,
});
