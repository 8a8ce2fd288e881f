import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Asked } from "./others/answer.ts";
import { hex } from "./others/answer.ts";
import { playOther } from "./others/play-other.ts";
import type { Random } from "./random.ts";
import { serveRealtime } from "./realtime/serve.ts";
import type { Turn } from "./turn.ts";
import { answerOf, CHAT_PATH } from "./wire.ts";

export interface DemoUpstream {
  readonly url: string;
  /** The next request with this `x-client-request-id` is answered as decided. */
  expect(clientRequestId: string, turn: Turn): void;
  stop(): void;
}

/** Decides how a request that nobody announced is answered: somebody tries the demo with a client of their own. */
export type Improvise = (asked: { model: string; streamed: boolean }) => Turn;

/** A stream whose client should have gone long ago. */
const HANG_MS = 30_000;
const EXPECTED_MAX = 1000;
const BODY_BYTES_MAX = 16 << 20;

/** A server that plays OpenAI with believable words at a believable pace: chat completions that sometimes fail, other endpoints, voice. */
export async function startDemoUpstream(improvise: Improvise, random: Random): Promise<DemoUpstream> {
  const expected = new Map<string, Turn>();
  const server = createServer((req, res) => {
    res.on("error", () => {});
    answer(req, res).catch(() => res.destroy());
  });

  async function answer(req: IncomingMessage, res: ServerResponse) {
    const startedMs = performance.now();
    const body = await readBody(req);
    const path = req.url?.split("?", 1)[0] ?? "";
    if (req.method !== "POST" || path !== CHAT_PATH) return other(askedOf(req, path, body), res, startedMs);
    const id = String(req.headers["x-client-request-id"] ?? "");
    const turn = expected.get(id) ?? improvised(body);
    expected.delete(id);
    if (!turn) return refuse(res, 400, "We could not parse the JSON body of your request.");
    await play(turn, res, startedMs);
  }

  async function other(asked: Asked, res: ServerResponse, startedMs: number) {
    const answer = playOther(asked, random, Date.now());
    if (!answer) return refuse(res, 404, NOT_PLAYED);
    await send(answer, res, startedMs, random.logNormal(1, 0.25));
    res.end();
  }

  function improvised(body: Buffer): Turn | null {
    try {
      const { model, stream } = JSON.parse(body.toString("utf8")) as { model?: unknown; stream?: unknown };
      return improvise({ model: typeof model === "string" ? model : "gpt-4o", streamed: stream === true });
    } catch {
      return null;
    }
  }

  const hangUp = serveRealtime(
    server,
    () => hex(random, 16),
    () => random.logNormal(330, 0.35),
  );
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", listening);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    expect(clientRequestId, turn) {
      // Requests that never came: their client gave up before.
      if (expected.size >= EXPECTED_MAX) expected.clear();
      expected.set(clientRequestId, turn);
    },
    stop() {
      hangUp();
      server.close();
      server.closeAllConnections();
    },
  };
}

const NOT_PLAYED =
  "The demo does not play this. It plays chat completions, responses, audio, embeddings, images, moderations, files, batches, models and realtime. Start Omnimeter with npm start to reach OpenAI.";

const askedOf = (req: IncomingMessage, path: string, body: Buffer): Asked => ({
  method: req.method ?? "",
  path: path.replace(/^\/v1\//, ""),
  contentType: req.headers["content-type"] ?? "",
  body,
});

async function play(turn: Turn, res: ServerResponse, startedMs: number) {
  const { pieces, ...answer } = answerOf(turn);
  const asBytes = pieces.map(({ atMs, text }) => ({ atMs, bytes: Buffer.from(text) }));
  await send({ ...answer, pieces: asBytes }, res, startedMs, 1);
  if (res.destroyed) return;
  if (!("seen" in turn.ending)) return void res.end();
  const late = setTimeout(() => res.destroy(), HANG_MS);
  res.once("close", () => clearTimeout(late));
}

/** Leaves at the moments that were decided, counted from the arrival of the request. */
async function send(
  { status, headers, headAtMs, pieces }: Answer,
  res: ServerResponse,
  startedMs: number,
  slowness: number,
) {
  const until = (atMs: number) => sleep(Math.max(0, startedMs + atMs * slowness - performance.now()));
  res.socket?.setNoDelay(true);
  await until(headAtMs);
  res.writeHead(status, [...headers]);
  res.flushHeaders();
  for (const { atMs, bytes } of pieces) {
    await until(atMs);
    if (res.destroyed) return;
    res.write(bytes);
  }
}

function refuse(res: ServerResponse, status: number, message: string) {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null } }));
}

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new Error("the request is larger than the demo takes");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
