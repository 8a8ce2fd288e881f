import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { asHeader, type Script } from "#tests/support/upstream/script.ts";
import { useWire } from "./setup.ts";

// Two requests in one go: the second answer waits in memory, without a socket, until the first one is out.

const wire = useWire();
const CHUNK_BYTES = 4000;
const CHUNKS = 3000;
const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const chunk = `${CHUNK_BYTES.toString(16)}\r\n${"x".repeat(CHUNK_BYTES)}\r\n`;

const LATE_AND_SHORT: Script = {
  do: "raw",
  steps: [600, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  last: "end",
};

function askBoth(second: Script) {
  const { hostname, port, host } = new URL(wire.proxy.url);
  const socket = connect(Number(port), hostname);
  const get = (script: Script) => `GET /v1/x HTTP/1.1\r\nHost: ${host}\r\nx-script: ${asHeader(script)}\r\n\r\n`;
  socket.write(get(LATE_AND_SHORT) + get(second));
  return socket;
}

test("an answer that had to wait goes on after its client stopped reading for a while", async () => {
  const socket = askBoth({ do: "raw", steps: [HEAD, chunk, 1], last: "end", times: CHUNKS });
  let bytes = 0;
  socket.on("data", (data: Buffer) => {
    bytes += data.length;
  });
  await sleep(900);
  socket.pause();
  await sleep(4000);
  socket.resume();
  // The upstream ends without a last chunk: what matters is that all of the body came.
  await expect.poll(() => bytes, { timeout: 15_000 }).toBeGreaterThan(CHUNKS * CHUNK_BYTES);
  socket.destroy();
});

test("an answer that had to wait and whose upstream broke off is broken off for the client", async () => {
  const broken: Script = { do: "raw", steps: [`${HEAD}4\r\npart\r\n`, 100], last: "reset" };
  const socket = askBoth(broken);
  let text = "";
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("error", () => {});
  socket.on("data", (data: Buffer) => {
    text += data.toString("latin1");
  });
  await expect(Promise.race([closed.then(() => "closed"), sleep(5000, "open")])).resolves.toBe("closed");
  expect(text).toContain("ok");
});
