import { once } from "node:events";
import { expect, test } from "vitest";
import WebSocket from "ws";
import { childrenOf } from "#tests/support/process.ts";
import { startProxy } from "#tests/support/proxy.ts";
import { asHeader } from "#tests/support/upstream/script.ts";
import { readSpool } from "./read-spool.ts";
import { useWire } from "./setup.ts";

const wire = useWire();
const SOCKETS = 60;
/** So many ends are heard, and then the worker dies. */
const HEARD = 12;

test("whoever has the end of a connection has one that is recorded, though the worker dies at that very moment", async () => {
  const proxy = await startProxy(wire.upstream.url);
  try {
    const [worker] = childrenOf(proxy.process.pid);
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => opened(proxy.url)));
    const ended: string[] = [];
    const dead = new Promise<void>((killed) => {
      for (const { ws, id } of sockets) {
        ws.on("error", () => {});
        ws.on("close", () => {
          if (ended.length === HEARD) return;
          ended.push(id);
          if (ended.length < HEARD) return;
          process.kill(worker as number, "SIGKILL");
          killed();
        });
      }
    });
    for (const { ws } of sockets) ws.send("the upstream closes after this");
    await dead;
    await Promise.all(sockets.map(({ ws }) => ws.readyState === ws.CLOSED || once(ws, "close")));
    const recorded = new Map(readSpool(proxy.dataDir).map(({ id, end }) => [id, end?.socket?.closeCode]));
    expect(ended.map((id) => recorded.get(id))).toEqual(ended.map(() => 1000));
  } finally {
    await proxy.stop();
  }
});

async function opened(url: string) {
  const script = asHeader({ close: { code: 1000, reason: "enough" } });
  const ws = new WebSocket(`${url.replace("http", "ws")}/v1/realtime?model=gpt-realtime`, {
    headers: { "x-script": script },
  });
  const [[{ headers }]] = await Promise.all([once(ws, "upgrade"), once(ws, "open")]);
  return { ws, id: headers["x-omnimeter-call-id"] as string };
}
