import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Split, splitBytes } from "./split.ts";
import { readAll, write } from "./upstream/stream.ts";

/** Real OpenAI traffic, kept beside the project; absent on other machines. */
export const RECORDINGS = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "shared", "recordings");
export const haveRecordings = existsSync(join(RECORDINGS, "index.json"));

/** The part of an `openai-recording/1` file that replaying needs. */
export interface Recording {
  id: string;
  kind: "http" | "realtime";
  endpoint: string;
  tags: string[];
  request: {
    method: string;
    path: string;
    headers: Record<string, string>;
    body_encoding: "json" | "base64" | "utf8" | "none";
    body?: unknown;
  };
  response: {
    status: number;
    headers: Record<string, string>;
    body_encoding: "utf8" | "base64" | "none";
    body?: string | null;
  };
  expected: Expected;
}

export interface Expected {
  request_model?: string | null;
  model?: string | null;
  http_status?: number;
  response_id?: string | null;
  response_status?: string | null;
  finish_reasons?: Record<string, string | null> | (string | null)[] | null;
  tool_calls?: string[] | null;
  service_tier?: string | null;
  error?: {
    type?: string | null;
    code?: string | number | null;
    param?: string | null;
    message?: string | null;
  } | null;
  usage?: { raw: unknown; normalized: Record<string, number> } | null;
  stream?: { events: number; data_events: number; done_marker: boolean };
}

/** Every recorded HTTP exchange, by id. */
export function readRecordings(): Recording[] {
  return readdirSync(RECORDINGS, { recursive: true, encoding: "utf8" })
    .filter((name) => name.includes("/") && name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(RECORDINGS, name), "utf8")) as Recording)
    .filter((one) => one.kind === "http");
}

export function requestBody({ request }: Recording): Buffer | undefined {
  if (request.body_encoding === "none" || request.body == null) return undefined;
  if (request.body_encoding === "json") return Buffer.from(JSON.stringify(request.body));
  return Buffer.from(request.body as string, request.body_encoding);
}

export const responseBody = ({ response }: Recording): Buffer =>
  response.body == null || response.body_encoding === "none"
    ? Buffer.alloc(0)
    : Buffer.from(response.body, response.body_encoding);

/** Belongs to the connection it was recorded on, or describes an encoding that the recorder has undone. */
const NOT_REPLAYED = new Set([
  "transfer-encoding",
  "connection",
  "keep-alive",
  "date",
  "content-length",
  "content-encoding",
]);

export interface Replay {
  url: string;
  stop(): Promise<void>;
}

/**
 * Answers each request with the recording that its `x-recording` header names, whatever the request says. `x-split` (JSON)
 * cuts the body into writes.
 */
export async function startReplay(recordings: Recording[]): Promise<Replay> {
  const byId = new Map(recordings.map((one) => [one.id, one]));
  const server = createServer({ maxHeaderSize: 1 << 20, keepAliveTimeout: 0 }, (req, res) => {
    const recording = byId.get(String(req.headers["x-recording"]));
    if (recording) void answer(recording, req, res);
    else res.writeHead(599).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function answer(recording: Recording, req: IncomingMessage, res: ServerResponse) {
  await readAll(req);
  const split = typeof req.headers["x-split"] === "string" ? (JSON.parse(req.headers["x-split"]) as Split) : "whole";
  const body = responseBody(recording);
  const headers = Object.entries(recording.response.headers)
    .filter(([name]) => !NOT_REPLAYED.has(name))
    .flat();
  const { status } = recording.response;
  const bodyless = status === 204 || status === 304 || req.method === "HEAD";
  // Streams are chunked as OpenAI's are; everything else states its length.
  const streamed = recording.response.headers["content-type"]?.startsWith("text/event-stream");
  if (!bodyless && !streamed) headers.push("content-length", String(body.length));
  res.writeHead(status, headers);
  if (!bodyless) for (const piece of splitBytes(body, split)) if (!(await write(res, piece))) return;
  res.end();
}
