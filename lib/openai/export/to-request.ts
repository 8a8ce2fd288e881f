import type { Call, Content, Message, Part } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject } from "../bodies/json.ts";
import { ENDPOINTS } from "../endpoints.ts";
import type { Rebuild } from "./rebuild.ts";
import { rebuildInput } from "./rebuild-input.ts";
import { rebuildMessages } from "./rebuild-messages.ts";

/** A call as somebody would send it again. */
export interface RequestText {
  curl: string;
  /** For OpenAI's official client. null: it has no method for this path. */
  typescript: string | null;
  body: JsonObject;
  /** What is not as it was sent, in sentences. */
  notes: string[];
}

type Sent = Pick<Call, "endpoint" | "method" | "path" | "requestModel">;

/**
 * The request of a call, rebuilt from its facts and its redacted content. What was not stored is a placeholder in angle
 * brackets. `origin` is where it goes: scheme, host and port. null: requests of this endpoint cannot be rebuilt, or nothing of
 * this one could be read.
 */
export function toRequest(call: Sent, content: Content, origin: string): RequestText | null {
  const rebuilt = REBUILT.get(call.endpoint);
  if (!rebuilt || call.method !== "POST" || isUnread(call, content)) return null;
  const notes = new Set<string>();
  const { parameters } = content;
  const body = {
    ...(call.requestModel !== null && { model: call.requestModel }),
    ...rebuilt.build(content, { note: (sentence) => notes.add(sentence) }),
    ...parameters,
    ...toolsOf(content.tools),
  };
  if (ELIDED.test(JSON.stringify(parameters) + JSON.stringify(content.tools)))
    notes.add("Files inside parameters are not stored: their size stands in their place.");
  const path = withoutFingerprints(call.path);
  return {
    curl: curl(origin + path, body),
    typescript: typescript(call.endpoint, rebuilt.method, origin + path, body),
    body,
    notes: [...notes],
  };
}

const isUnread = ({ requestModel }: Sent, { input, parameters }: Content) =>
  requestModel === null && input.length === 0 && Object.keys(parameters).length === 0;

interface Rebuilt {
  /** How the official client calls it. */
  method: string;
  /** What of the body is no parameter. */
  build(content: Content, rebuild: Rebuild): JsonObject;
}

/** By the name of the endpoint. */
const REBUILT: ReadonlyMap<string, Rebuilt> = new Map([
  [
    "chat_completions",
    {
      method: "chat.completions.create",
      build: ({ input }, rebuild) => ({ messages: rebuildMessages(input, rebuild) }),
    },
  ],
  [
    "responses",
    {
      method: "responses.create",
      build: ({ input, parameters }, rebuild) => rebuildInput(input, parameters.prompt !== undefined, rebuild),
    },
  ],
  [
    "completions",
    { method: "completions.create", build: ({ input }, rebuild) => ({ prompt: promptOf(input, rebuild) }) },
  ],
  ["embeddings", { method: "embeddings.create", build: (_, rebuild) => ({ input: embedded(rebuild) }) }],
]);

function embedded({ note }: Rebuild): string {
  note("The input of an embedding is not stored: put it in.");
  return "<not stored: the input>";
}

function promptOf(input: readonly Message[], { note }: Rebuild): string | string[] {
  const texts = input.flatMap(({ parts }) => parts.flatMap((part: Part) => (part.type === "text" ? [part.text] : [])));
  if (texts.length > 0) return texts.length === 1 ? (texts[0] as string) : texts;
  note("A prompt of token numbers is not stored: put it in.");
  return "<not stored: a prompt of token numbers>";
}

/** Both kinds are kept in one list: the older one, `functions`, states no type. */
function toolsOf(tools: readonly unknown[]): JsonObject {
  const functions = tools.filter((tool) => asObject(tool)?.type === undefined);
  const typed = tools.filter((tool) => asObject(tool)?.type !== undefined);
  return { ...(typed.length > 0 && { tools: typed }), ...(functions.length > 0 && { functions }) };
}

/** How json.ts writes what it took out. */
const ELIDED = /\(\d+ characters(?: of base64)?\)"/;

/** Secrets in a query were never stored; their names would only be refused. */
function withoutFingerprints(path: string): string {
  const [bare = "", query] = path.split("?", 2);
  const kept = query
    ?.split("&")
    .filter((pair) => !/(?:key|token|secret|sig|signature|password|auth|code)=/i.test(pair));
  return kept?.length ? `${bare}?${kept.join("&")}` : bare;
}

const isAzure = (url: string) => /^\w+:\/\/[^/]+(?:\/[uf]\/[^/]+)*\/openai\//.test(url);

function curl(url: string, body: JsonObject): string {
  return [
    `curl ${quoted(url)}`,
    `  -H "${isAzure(url) ? "api-key: " : "authorization: Bearer "}$OPENAI_API_KEY"`,
    "  -H 'content-type: application/json'",
    // --data would read a file for a text that begins with "@".
    `  --data-raw ${quoted(JSON.stringify(body, null, 2))}`,
  ].join(" \\\n");
}

/** Inside single quotes a POSIX shell takes every byte as it is, but for the quote itself. JSON text holds no NUL. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function typescript(endpoint: string, method: string, url: string, body: JsonObject): string | null {
  const [bare = "", query] = url.split("?", 2);
  const below = `/${ENDPOINTS.find(({ name }) => name === endpoint)?.path}`;
  if (!bare.endsWith(`/v1${below}`) || isAzure(url)) return null;
  const options = query ? `, { query: ${literal(Object.fromEntries(new URLSearchParams(query)))} }` : "";
  const printed =
    body.stream === true ? "for await (const event of answer) console.log(event);" : "console.log(answer);";
  return `import OpenAI from "openai";

// The client takes the key from OPENAI_API_KEY.
const client = new OpenAI({ baseURL: ${literal(bare.slice(0, -below.length))} });
const answer = await client.${method}(${literal(body)}${options});
${printed}
`;
}

/** JSON text is a literal of the language, but for one name, which would set the object's prototype. */
const literal = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/^( *)"__proto__":/gm, '$1["__proto__"]:');
