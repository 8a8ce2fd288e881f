import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
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

/** A server that plays OpenAI: chat completions with believable words at a believable pace, and sometimes an error. */
export async function startDemoUpstream(improvise: Improvise): Promise<DemoUpstream> {
  const expected = new Map<string, Turn>();
  const server = createServer((req, res) => {
    res.on("error", () => {});
    answer(req, res).catch(() => res.destroy());
  });

  async function answer(req: IncomingMessage, res: ServerResponse) {
    const startedMs = performance.now();
    const body = await readText(req);
    if (req.method !== "POST" || req.url?.split("?", 1)[0] !== CHAT_PATH) return refuse(res, 404, NOT_PLAYED);
    const id = String(req.headers["x-client-request-id"] ?? "");
    const turn = expected.get(id) ?? improvised(body);
    expected.delete(id);
    if (!turn) return refuse(res, 400, "We could not parse the JSON body of your request.");
    await play(turn, res, startedMs);
  }

  function improvised(body: string): Turn | null {
    try {
      const { model, stream } = JSON.parse(body) as { model?: unknown; stream?: unknown };
      return improvise({ model: typeof model === "string" ? model : "gpt-4o", streamed: stream === true });
    } catch {
      return null;
    }
  }

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
      server.close();
      server.closeAllConnections();
    },
  };
}

const NOT_PLAYED = "The demo plays chat completions only. Start Omnimeter with npm start to reach OpenAI.";

/** Leaves at the moments that were decided, counted from the arrival of the request. */
async function play(turn: Turn, res: ServerResponse, startedMs: number) {
  const { status, headers, headAtMs, pieces } = answerOf(turn);
  const until = (atMs: number) => sleep(Math.max(0, startedMs + atMs - performance.now()));
  res.socket?.setNoDelay(true);
  await until(headAtMs);
  res.writeHead(status, [...headers]);
  res.flushHeaders();
  for (const { atMs, text } of pieces) {
    await until(atMs);
    if (res.destroyed) return;
    res.write(text);
  }
  if (!("seen" in turn.ending)) return void res.end();
  const late = setTimeout(() => res.destroy(), HANG_MS);
  res.once("close", () => clearTimeout(late));
}

function refuse(res: ServerResponse, status: number, message: string) {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null } }));
}

async function readText(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new Error("the request is larger than the demo takes");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
