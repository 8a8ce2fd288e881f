import type { Exchange } from "#lib/exchange.ts";
import { reachesEnd } from "../bodies/body.ts";
import type { Piece } from "../bodies/content-encoding.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, parseJson } from "../bodies/json.ts";
import { sentence } from "../error.ts";
import type { ChildFacts } from "../facts.ts";
import { noFacts } from "../no-facts.ts";
import { readMetadata } from "../request.ts";
import { childOf, secondsToMs } from "./child.ts";
import type { ReadAs } from "./files.ts";
import { idTimeMs } from "./id-time.ts";

export interface BatchLines {
  children: ChildFacts[];
  problems: string[];
}

/**
 * The answers of a batch, one JSON object a line: `{id, custom_id, response: {status_code, body}, error}`. Every body is read by the reader
 * of its endpoint. A file of another kind has no such lines and gives nothing.
 */
export async function batchLines(
  kept: readonly Piece[],
  fileId: string,
  exchange: Exchange,
  readAs: ReadAs,
): Promise<BatchLines> {
  const { response, end } = exchange;
  const isPart = response?.status === PARTIAL_CONTENT;
  const isWhole = end?.ending === "completed" && response !== null && reachesEnd(response) && !isPart;
  const { lines, cut } = wholeLines(kept, isWhole);
  const children: ChildFacts[] = [];
  let answers = 0;
  for (const text of lines) {
    if (answers === LINES_MAX) return { children, problems: ["batch_lines_left_out"] };
    const line = asObject(parseJson(text));
    if (line === null || !isAnswer(line)) {
      // A file that does not begin with an answer holds none; a part of one begins in the middle of a line.
      if (answers === 0 && !(isPart && text === lines[0])) break;
      continue;
    }
    answers++;
    const call = await lineCall(line, Buffer.byteLength(text), fileId, exchange, readAs);
    children.push({ ...call, facts: { ...call.facts, children: [] } }, ...call.facts.children);
  }
  return { children, problems: answers > 0 && cut ? ["response_cut"] : [] };
}

const PARTIAL_CONTENT = 206;

/** As many requests as a batch can hold. */
const LINES_MAX = 50_000;

const isAnswer = (line: JsonObject): boolean =>
  typeof line.custom_id === "string" && (asObject(line.response) !== null || asObject(line.error) !== null);

/** Lines of which every byte was kept. */
function wholeLines(kept: readonly Piece[], isWhole: boolean): { lines: string[]; cut: boolean } {
  const stretches: Buffer[][] = [];
  for (const { bytes, afterGap } of kept) {
    if (afterGap || stretches.length === 0) stretches.push([]);
    stretches.at(-1)?.push(bytes);
  }
  const cut = !isWhole || stretches.length > 1;
  const lines = stretches.flatMap((stretch, index) => {
    const whole = Buffer.concat(stretch).toString("utf8").split("\n");
    const from = index === 0 && !kept[0]?.afterGap ? 0 : 1;
    const to = index === stretches.length - 1 && isWhole ? whole.length : whole.length - 1;
    return whole.slice(from, to).filter((line) => line.trim() !== "");
  });
  return { lines, cut };
}

async function lineCall(
  line: JsonObject,
  bytes: number,
  fileId: string,
  exchange: Exchange,
  readAs: ReadAs,
): Promise<ChildFacts> {
  const response = asObject(line.response);
  const body = asObject(response?.body);
  const status = typeof response?.status_code === "number" ? response.status_code : null;
  const { name, path } = SHAPES.find(({ fits }) => body !== null && fits(body)) ?? UNKNOWN_SHAPE;
  const facts = body === null ? noFacts() : await readAs(path, asExchange(exchange, path, status), asBodies(body));
  const error = asObject(line.error);
  if (error !== null) facts.error ??= { type: null, code: asText(error.code), message: sentence(error.message) };
  if (error !== null || (status ?? 0) >= 400) facts.outcome = "failed";
  if (body !== null) readMetadata(facts, body);
  facts.serviceTier = "batch";
  facts.inherits = fileId;
  facts.countsFor = fileId;
  const id = asText(line.id);
  const { startedAtMs } = exchange.start;
  const atMs =
    momentBefore(startedAtMs, body?.created ?? body?.created_at) ??
    idTimeMs(id ?? "", startedAtMs) ??
    idTimeMs(fileId.replace("-", "_"), startedAtMs);
  // Whoever reads it at another time takes it for another call.
  if (atMs === null) facts.problems.push("moment_unknown");
  const key = id === null ? [fileId, asText(line.custom_id) ?? ""] : [id];
  return { ...childOf(name, key, atMs ?? startedAtMs, facts), status, responseBytes: bytes };
}

/** Of the year before the file was read: a file that says anything else would spread its lines over all of time. */
function momentBefore(nowMs: number, seconds: unknown): number | null {
  const ms = secondsToMs(seconds);
  return ms !== null && ms > nowMs - YEAR_MS && ms <= nowMs + HOUR_MS ? ms : null;
}

const HOUR_MS = 3_600_000;
const YEAR_MS = 366 * 24 * HOUR_MS;

/** Which endpoint a body is from: the line does not say. */
const SHAPES: readonly { name: string; path: string; fits(body: JsonObject): boolean }[] = [
  { name: "chat_completions", path: "/v1/chat/completions", fits: ({ object }) => object === "chat.completion" },
  { name: "completions", path: "/v1/completions", fits: ({ object }) => object === "text_completion" },
  { name: "responses", path: "/v1/responses", fits: ({ object }) => object === "response" },
  { name: "embeddings", path: "/v1/embeddings", fits: ({ object, data }) => object === "list" && Array.isArray(data) },
  { name: "moderations", path: "/v1/moderations", fits: ({ results }) => Array.isArray(results) },
  {
    name: "images_generations",
    path: "/v1/images/generations",
    fits: ({ object, data }) => object === undefined && Array.isArray(data),
  },
];
const UNKNOWN_SHAPE = { name: "unknown", path: "/v1/" };

/** The exchange that this line would have been. */
function asExchange({ id, origin, start }: Exchange, path: string, status: number | null): Exchange {
  const body = { chunks: [], bytes: 0, cut: false };
  return {
    id,
    origin,
    start: { ...start, method: "POST", target: path, upstreamTarget: path, headers: [] },
    request: body,
    response: { ...body, status: status ?? 200, headers: [], headAtMs: 0 },
    end: {
      ending: "completed",
      requestEndAtMs: null,
      sentAtMs: null,
      connectMs: null,
      responseEndAtMs: null,
      endAtMs: 0,
      requestBytes: 0,
      responseBytes: 0,
    },
  };
}

function asBodies(body: JsonObject): Parameters<ReadAs>[2] {
  return { request: null, form: null, response: { kind: "json", value: body }, problems: [] };
}
