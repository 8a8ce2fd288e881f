import { createHash } from "node:crypto";
import { DEFAULT_ENVIRONMENT } from "#lib/call.ts";
import type { ExchangeStart } from "#lib/exchange.ts";
import type { AttributionHints } from "#lib/openai/facts.ts";
import { readTraceparent } from "#lib/trace-ids.ts";

export interface Attribution {
  feature: string | null;
  customer: string | null;
  endUser: string | null;
  session: string | null;
  template: string | null;
  templateVersion: string | null;
  release: string | null;
  environment: string;
  tags: Record<string, string>;
  /** What somebody wanted, as a UUID; null: this call alone. */
  operationId: string | null;
  /** From 0: what somebody wanted is counted by its first attempts. Known from the request alone, whatever became of earlier ones. */
  attempt: number;
  traceId: string | null;
  parentSpanId: string | null;
  /** `attribution_dropped:<name>`: a value that cannot be used never fails a call, but is seen. */
  problems: string[];
}

const CHARACTERS_MAX = 256;
const TAGS_MAX = 32;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A UUID of version 7, as the call ids that we return are. */
const CALL_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/**
 * Who and what a call was for. Headers speak first, then the path's `/f/<feature>`, then `baggage`, then what OpenAI's own
 * fields say (metadata, safety_identifier, user, prompt).
 */
export function readAttribution(start: ExchangeStart, hints: AttributionHints): Attribution {
  const problems: string[] = [];
  const { own, others } = readHeaders(start.headers);
  const baggage = readBaggage(others.get("baggage"));
  // What is empty was not said.
  const given = (name: string, inPath: string | null = null): string | null =>
    own.get(name) || inPath || baggage.get(name) || hints.metadata[name] || null;
  const pick = (name: string, inPath: string | null = null): string | null => {
    const raw = given(name, inPath);
    if (raw === null) return null;
    const value = clean(raw);
    if (value === null) problems.push(`attribution_dropped:${name}`);
    return value;
  };
  const feature = pick("feature", featureInPath(start.target));
  const session = pick("session");
  const template = pick("template") ?? clean(hints.promptId ?? "");
  const operation = readOperation(given("operation"), others.get("x-stainless-retry-count"), problems);
  const caller = readTraceparent(others.get("traceparent"));
  return {
    feature,
    customer: pick("customer"),
    endUser: pick("user") ?? clean(hints.safetyIdentifier ?? hints.user ?? ""),
    session,
    template,
    templateVersion: pick("template-version") ?? clean(hints.promptVersion ?? ""),
    release: pick("release"),
    environment: pick("environment") ?? DEFAULT_ENVIRONMENT,
    tags: readTags(own.get("tags") ?? baggage.get("tags"), problems),
    operationId: operation.id,
    attempt: operation.attempt,
    traceId: caller?.traceId ?? null,
    parentSpanId: caller?.parentSpanId ?? null,
    problems,
  };
}

/** Those that speak of attribution, which of most requests are one or two: ours by what follows their common beginning. */
function readHeaders(headers: readonly string[]): Record<"own" | "others", ReadonlyMap<string, string>> {
  const own = new Map<string, string>();
  const others = new Map<string, string>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (name.startsWith(OWN)) add(own, name.slice(OWN.length), value);
    else if (OTHERS.has(name)) add(others, name, value);
  }
  return { own, others };
}

function add(map: Map<string, string>, name: string, value: string) {
  const before = map.get(name);
  map.set(name, before === undefined ? value : `${before},${value}`);
}

const OWN = "x-omnimeter-";
const OTHERS: ReadonlySet<string> = new Set(["baggage", "traceparent", "x-stainless-retry-count"]);

/** Values are percent-encoded UTF-8. Null when they are not, or hold control characters, or are too long. */
function clean(raw: string): string | null {
  if (raw === "") return null;
  let value: string;
  try {
    value = decodeURIComponent(raw).trim();
  } catch {
    return null;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (!value || value.length > CHARACTERS_MAX || /[\u0000-\u001f\u007f]/.test(value)) return null;
  return value;
}

const featureInPath = (target: string): string | null => /^(?:\/u\/[^/?]+)?\/f\/([^/?]+)\//.exec(target)?.[1] ?? null;

function readBaggage(value: string | undefined): Map<string, string> {
  const members = new Map<string, string>();
  for (const member of value?.split(",") ?? []) {
    const [, name, text] = /^\s*omnimeter\.([a-z-]+)\s*=\s*([^;]*)/.exec(member) ?? [];
    if (name && text) members.set(name, text.trim());
  }
  return members;
}

function readTags(value: string | undefined, problems: string[]): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const pair of value?.split(",") ?? []) {
    const at = pair.indexOf("=");
    const name = at > 0 ? clean(pair.slice(0, at)) : null;
    const text = at > 0 ? clean(pair.slice(at + 1)) : null;
    if (name && text && Object.keys(tags).length < TAGS_MAX) tags[name] = text;
    else if (pair.trim()) problems.push("attribution_dropped:tags");
  }
  return tags;
}

/**
 * `<id>` or `<id>;attempt=<n>`, beside the client's own count of retries: the larger of both is the attempt. A call id without an
 * attempt names the call that this one tries again. A name may hold a percent-encoded `;`.
 */
function readOperation(
  text: string | null,
  retries: string | undefined,
  problems: string[],
): Pick<Attribution, "attempt"> & { id: string | null } {
  const retried = readRetries(retries);
  if (text === null) return { id: null, attempt: retried };
  const [name = "", ...suffixes] = text.split(";");
  const [, stated] =
    suffixes.length === 1 ? (/^\s*attempt\s*=\s*(\d{1,3})\s*$/i.exec(suffixes[0] as string) ?? []) : [];
  if (suffixes.length > 0 && stated === undefined) problems.push("attribution_dropped:operation attempt");
  const id = clean(name);
  if (id === null) problems.push("attribution_dropped:operation");
  const implied = id !== null && CALL_ID.test(id) ? 1 : 0;
  return {
    id: id && (UUID.test(id) ? id.toLowerCase() : uuidOf(id)),
    attempt: Math.max(retried, stated === undefined ? implied : Number(stated)),
  };
}

function readRetries(value: string | undefined): number {
  const retries = Number(value);
  return Number.isInteger(retries) && retries >= 0 && retries < 1000 ? retries : 0;
}

/** A name that is no UUID becomes one: the same name, the same operation. Version 8 is for such uses. */
function uuidOf(name: string): string {
  const hex = createHash("sha256").update(`operation:${name}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
