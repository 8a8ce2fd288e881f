import { expect, test } from "vitest";
import { ask } from "#tests/support/http-client.ts";
import { childrenOf } from "#tests/support/process.ts";
import { metric, startProxy, type TestProxy } from "#tests/support/proxy.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire();

test("a worker that is killed is replaced within seconds, on the same port", async () => {
  await withProxy({}, async (proxy) => {
    for (let round = 0; round < 2; round++) {
      killWorker(proxy);
      await eventually("calls are answered again", () => isAnswered(proxy), 5000);
    }
  });
}, 30_000);

test("a connection that meets a dying worker is closed at once, not left without an answer", async () => {
  await withProxy({}, async (proxy) => {
    for (let round = 0; round < 3; round++) {
      killWorker(proxy);
      const fates = await Promise.all(Array.from({ length: 20 }, () => fate(proxy, 2500)));
      expect(fates.filter((one) => one === "no answer")).toEqual([]);
      await eventually("calls are answered again", () => isAnswered(proxy), 5000);
    }
  });
}, 30_000);

test("while one worker dies, the others go on", async () => {
  await withProxy({ OMNIMETER_WORKERS: "3" }, async (proxy) => {
    const headers = ["Content-Type", "application/json", ...scripted({ do: "chat", chunks: 30, paceMs: 20 })];
    const streams = Array.from({ length: 12 }, () =>
      ask(`${proxy.url}/v1/chat/completions`, { method: "POST", headers, body: '{"stream":true}' }).then(
        (answer) => answer.complete,
        () => false,
      ),
    );
    await eventually("all streams run", async () => (await metric(proxy.url, "omnimeter_in_flight_calls")) === 12);
    killWorker(proxy);
    const whole = (await Promise.all(streams)).filter(Boolean).length;
    expect(whole).toBeGreaterThan(0);
    await eventually("three workers run again", async () => (await workersOf(proxy)) === 3);
  });
}, 30_000);

async function withProxy(env: Record<string, string>, work: (proxy: TestProxy) => Promise<void>) {
  const proxy = await startProxy(wire.upstream.url, env);
  try {
    await work(proxy);
  } finally {
    await proxy.stop();
  }
}

function killWorker(proxy: TestProxy) {
  const [worker] = childrenOf(proxy.process.pid);
  if (worker) process.kill(worker, "SIGKILL");
}

const isAnswered = async (proxy: TestProxy) => (await fate(proxy, 1000)) === "answered";

async function fate(proxy: TestProxy, timeoutMs: number): Promise<"answered" | "closed" | "no answer"> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    await ask(`${proxy.url}/v1/models`, { signal });
    return "answered";
  } catch {
    return signal.aborted ? "no answer" : "closed";
  }
}

/** A connection kept from before may break with the worker that held it. */
const workersOf = (proxy: TestProxy) => metric(proxy.url, "omnimeter_workers").catch(() => 0);
