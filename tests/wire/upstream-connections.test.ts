import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Exchange, ExchangeEnd } from "#lib/exchange.ts";
import { ask } from "#tests/support/http-client.ts";
import { metric, startProxy } from "#tests/support/proxy.ts";
import type { Script } from "#tests/support/upstream/script.ts";
import { readSpool } from "./read-spool.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire();

test("with one connection allowed, a second call waits for the first, and its sentAtMs tells that wait", async () => {
  const recorded = () => recordTwo({ OMNIMETER_UPSTREAM_CONNECTIONS: "1" });
  // The clock of a start has whole milliseconds.
  const waited = ({ first, second }: Recorded) => sentAt(second) >= answeredAt(first) - 2;
  let two = await recorded();
  // A machine's clock that is set right between the two starts tells a wait that was not: once more, then.
  for (let tries = 1; tries < 3 && !waited(two); tries++) two = await recorded();
  const { first, second, overheadSeconds } = two;
  expect(sentAt(second)).toBeGreaterThanOrEqual(answeredAt(first) - 2);
  expect(second.end?.sentAtMs).toBeGreaterThan(0);
  // The wait is our own time, as the store counts it; what it took to write the end frames comes on top.
  expect(overheadSeconds * 1000).toBeGreaterThanOrEqual(ownMs(first) + ownMs(second) - 0.001);
});

test("with the default, a second call does not wait for the first", async () => {
  const { first, second } = await recordTwo({});
  expect(sentAt(second)).toBeLessThan(answeredAt(first));
});

test("a kept connection that the upstream closes under a request: a GET is sent again, a POST is not", async () => {
  const used = new WeakSet<object>();
  const seen: string[] = [];
  wire.upstream.on("/v1/once-per-connection", (req, res) => {
    seen.push(req.method as string);
    if (used.has(req.socket)) return req.socket.destroy();
    used.add(req.socket);
    res.end("answered");
  });
  const proxy = await startProxy(wire.upstream.url);
  const call = async (method: string) =>
    (await ask(`${proxy.url}/v1/once-per-connection`, { method, ...(method === "POST" && { body: "x" }) })).status;
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push(await call("GET"));
  expect(statuses).toEqual([200, 200, 200, 200]);
  expect(seen.length).toBeGreaterThan(4);
  seen.length = 0;
  for (let i = 0; i < 4; i++) statuses.push(await call("POST"));
  expect(statuses).toContain(502);
  expect(seen).toEqual(["POST", "POST", "POST", "POST"]);
  await proxy.stop();
});

test("another transfer coding than chunks stays on the body, and stays announced", async () => {
  const gzipped = gzipSync("hello");
  const script: Script = {
    do: "raw",
    steps: [
      `HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n${gzipped.length.toString(16)}\r\n${gzipped.toString("latin1")}\r\n0\r\n\r\n`,
    ],
    last: "end",
  };
  const answer = await ask(`${wire.proxy.url}/v1/x`, { headers: scripted(script) });
  expect(answer.headers["transfer-encoding"]).toBe("gzip, chunked");
  expect(gunzipSync(answer.body).toString()).toBe("hello");
});

type Recorded = Awaited<ReturnType<typeof recordTwo>>;

/** Two calls, the second begun while the upstream thinks about the first, as the spool holds them. */
async function recordTwo(env: Record<string, string>) {
  const proxy = await startProxy(wire.upstream.url, env);
  const call = () =>
    ask(`${proxy.url}/v1/chat/completions`, {
      method: "POST",
      headers: ["Content-Type", "application/json", ...scripted({ do: "chat", delayMs: 300 })],
      body: "{}",
    });
  try {
    const before = wire.upstream.requests();
    const first = call();
    await eventually("the upstream has the first", () => wire.upstream.requests() > before);
    const answers = await Promise.all([first, call()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const [one, two] = readSpool(proxy.dataDir).toSorted((a, b) => a.origin.seq - b.origin.seq);
    const overheadSeconds = await metric(proxy.url, "omnimeter_overhead_seconds_sum");
    return { first: one as Exchange, second: two as Exchange, overheadSeconds };
  } finally {
    await proxy.stop();
  }
}

const sentAt = ({ start, end }: Exchange) => start.startedAtMs + (end?.sentAtMs ?? Number.NaN);
const answeredAt = ({ start, end }: Exchange) => start.startedAtMs + (end?.responseEndAtMs ?? Number.NaN);

/** As call_own_ms in drizzle/ has it. */
function ownMs({ end }: Exchange): number {
  const { requestEndAtMs, connectMs, sentAtMs, responseEndAtMs, endAtMs } = end as ExchangeEnd;
  const sent = sentAtMs as number;
  const before = Math.max(0, sent - Math.min(requestEndAtMs ?? 0, sent) - (connectMs ?? 0));
  return before + endAtMs - (responseEndAtMs as number);
}
