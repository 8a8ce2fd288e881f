import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Ask, ask, open } from "#tests/support/http-client.ts";
import { asHeader, type Script } from "#tests/support/upstream/script.ts";

/** What one call looked like from outside. */
export interface Seen {
  kind: Kind;
  /** null: no response head came. */
  callId: string | null;
  status: number | null;
  /** The client has the end of the answer. */
  ended: boolean;
  /** Neither an answer nor an end of the connection came in time. */
  hung: boolean;
}

export type Kind = "json" | "stream" | "responses" | "abort" | "reset";

/** No call of these takes a second. */
const PATIENCE_MS = 8000;

const SCRIPTS: Record<Kind, { path: string; stream: boolean; script: Script }> = {
  json: { path: "/v1/chat/completions", stream: false, script: { do: "chat", delayMs: 5 } },
  stream: { path: "/v1/chat/completions", stream: true, script: { do: "chat", chunks: 20, paceMs: 4 } },
  responses: { path: "/v1/responses", stream: true, script: { do: "responses", chunks: 15, paceMs: 4 } },
  abort: { path: "/v1/chat/completions", stream: true, script: { do: "chat", chunks: 50, paceMs: 4 } },
  reset: { path: "/v1/chat/completions", stream: true, script: { do: "chat", chunks: 20, resetAfter: 8 } },
};

/** Clients that call one after the other until told to stop, and remember what they saw. */
export function startClients(proxyUrl: () => string, count: number, random: () => number) {
  const seen: Seen[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  let stopping = false;
  let onEnd = () => {};
  const all = Promise.all(Array.from({ length: count }, loop));
  return {
    seen,
    /** Resolves at the very moment when the next client has the end of an answer. */
    nextEnd: () =>
      new Promise<void>((ended) => {
        onEnd = ended;
      }),
    /** Lets calls in flight finish. */
    async stop() {
      stopping = true;
      await all;
      agent.destroy();
    },
  };

  async function loop() {
    while (!stopping) {
      const kind = pick(random());
      const one: Seen = { kind, callId: null, status: null, ended: false, hung: false };
      try {
        await (kind === "abort" ? abort(one) : whole(one));
      } catch {
        // Nobody listens, or the connection broke before an answer: seen as such.
        if (!stopping) await sleep(20);
      }
      seen.push(one);
    }
  }

  async function whole(one: Seen) {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const url = proxyUrl() + SCRIPTS[one.kind].path;
    const answer = await ask(url, { ...request(one.kind), agent, signal }).finally(() => {
      one.hung = signal.aborted;
    });
    one.callId = header(answer.headers["x-omnimeter-call-id"]);
    one.status = answer.status;
    one.ended = answer.complete;
    if (one.ended) onEnd();
  }

  async function abort(one: Seen) {
    const { req, response } = open(proxyUrl() + SCRIPTS.abort.path, request("abort"));
    const res = await response;
    one.callId = header(res.headers["x-omnimeter-call-id"]);
    one.status = res.statusCode ?? null;
    res.on("error", () => {}).resume();
    await sleep(20 + random() * 60);
    req.destroy();
  }
}

const pick = (at: number): Kind =>
  at < 0.4 ? "json" : at < 0.65 ? "stream" : at < 0.8 ? "responses" : at < 0.93 ? "abort" : "reset";

let number = 0;
function request(kind: Kind): Ask {
  const { stream, script } = SCRIPTS[kind];
  return {
    method: "POST",
    headers: ["Content-Type", "application/json", "x-omnimeter-feature", kind, "X-Script", asHeader(script)],
    body: JSON.stringify({
      model: "gpt-4o",
      stream,
      messages: [{ role: "user", content: `call ${number++}` }],
      input: "hi",
    }),
  };
}

const header = (value: string | string[] | undefined): string | null => (typeof value === "string" ? value : null);
