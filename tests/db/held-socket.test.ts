import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { HeldSocket } from "#db/held-socket.ts";

const uncaught = vi.fn();
afterEach(() => void process.off("uncaughtException", uncaught));

/** Nobody listens there any more. */
async function refusingPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

test("a socket that its owner let go of while it was connecting fails in silence, and is given up", async () => {
  process.on("uncaughtException", uncaught);
  const socket = new HeldSocket();
  const heard = vi.fn();
  socket.on("error", heard);
  socket.connect(await refusingPort(), "127.0.0.1");
  socket.removeAllListeners();
  await sleep(50);
  expect(socket.destroyed).toBe(true);
  expect(heard).not.toHaveBeenCalled();
  expect(uncaught).not.toHaveBeenCalled();
});

test("one that was never let go of says what happened; one that is connected goes on", async () => {
  const refused = new HeldSocket();
  refused.connect(await refusingPort(), "127.0.0.1");
  const [error] = await once(refused, "error");
  expect(error).toMatchObject({ code: "ECONNREFUSED" });
  const server = createServer((peer) => peer.end("hello")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = new HeldSocket();
  socket.connect((server.address() as { port: number }).port, "127.0.0.1");
  await once(socket, "connect");
  socket.removeAllListeners();
  const [text] = await once(socket, "data");
  expect(String(text)).toBe("hello");
  server.close();
});
