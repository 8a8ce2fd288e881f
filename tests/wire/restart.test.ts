import { Agent } from "node:http";
import { expect, test } from "vitest";
import { ask } from "#tests/support/http-client.ts";
import { childrenOf } from "#tests/support/process.ts";
import { metric, startProxy, type TestProxy } from "#tests/support/proxy.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire();

test.each(["1", "2"])(
  "SIGHUP replaces %s workers: no connection is refused, no call is lost, streams go on",
  async (workers) => {
    const proxy = await startProxy(wire.upstream.url, { OMNIMETER_WORKERS: workers });
    const before = childrenOf(proxy.process.pid);
    const stream = ask(`${proxy.url}/v1/chat/completions`, {
      method: "POST",
      headers: ["Content-Type", "application/json", ...scripted({ do: "chat", chunks: 60, paceMs: 30 })],
      body: '{"model":"gpt-4o","stream":true}',
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    await eventually("the stream runs", () => wire.upstream.requests() > 0);
    process.kill(proxy.process.pid, "SIGHUP");
    const fates: (number | string)[] = [];
    const callsUntil = async (done: () => boolean, kept?: Agent) => {
      while (!done())
        fates.push(
          await ask(`${proxy.url}/v1/models`, kept ? { agent: kept } : {}).then(
            ({ status }) => status,
            (error: Error) => error.message,
          ),
        );
    };
    const replaced = () =>
      childrenOf(proxy.process.pid).filter((pid) => !before.includes(pid)).length === before.length;
    const enough = () => replaced() && fates.length > 300;
    // New connections, and kept ones.
    await Promise.all([...Array.from({ length: 6 }, () => callsUntil(enough)), callsUntil(enough, agent)]);
    expect(new Set(fates)).toEqual(new Set([200]));
    expect(await stream).toMatchObject({ status: 200, complete: true });
    agent.destroy();
    await proxy.stop();
  },
  30_000,
);

test("SIGHUP while one is under way starts no second replacement", async () => {
  await withProxy({}, async (proxy) => {
    const [before] = childrenOf(proxy.process.pid);
    process.kill(proxy.process.pid, "SIGHUP");
    // The new worker is there as a process, and does not listen yet.
    await eventually("it is replaced", () => childrenOf(proxy.process.pid).length === 2);
    process.kill(proxy.process.pid, "SIGHUP");
    await eventually("the old one is gone", () => !childrenOf(proxy.process.pid).includes(before as number));
    expect(childrenOf(proxy.process.pid)).toHaveLength(1);
  });
}, 30_000);

test("connections that come while the only worker is dead wait for its successor", async () => {
  await withProxy({}, async (proxy) => {
    const [worker] = childrenOf(proxy.process.pid);
    process.kill(worker as number, "SIGKILL");
    await eventually("it is gone", () => !childrenOf(proxy.process.pid).includes(worker as number));
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(`${proxy.url}/v1/models`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
  });
});

test("several workers share the connections", async () => {
  await withProxy({ OMNIMETER_WORKERS: "2" }, async (proxy) => {
    await Promise.all(Array.from({ length: 200 }, () => ask(`${proxy.url}/v1/models`)));
    for (const worker of ["0", "1"])
      expect(await metric(proxy.url, "omnimeter_accepted_calls_total", `worker="${worker}"`)).toBeGreaterThan(10);
  });
});

async function withProxy(env: Record<string, string>, work: (proxy: TestProxy) => Promise<void>) {
  const proxy = await startProxy(wire.upstream.url, env);
  try {
    await work(proxy);
  } finally {
    await proxy.stop();
  }
}
