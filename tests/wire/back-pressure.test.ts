import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ask, open } from "#tests/support/http-client.ts";
import { residentBytes } from "#tests/support/process.ts";
import { seededBytes } from "#tests/support/split.ts";
import { write } from "#tests/support/upstream/stream.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const MB = 1 << 20;
/** More than sockets and one kept body (8 MB by default) can hold between the two ends. */
const FLOOD_BYTES = 200 * MB;
/** Above what an idle proxy holds: garbage not yet collected, the kept part, socket buffers. */
const GROWTH_BYTES = 90 * MB;

const wire = useWire();

test("an upload of 50 MB arrives whole in little memory", async () => {
  const before = residentBytes(wire.proxy.process.pid);
  const peak = watchPeak();
  const hash = createHash("sha256");
  const size = 50 * MB;
  for (const piece of seededBytes(size, 21)) hash.update(piece);
  const { text } = await ask(`${wire.proxy.url}/v1/files`, {
    method: "POST",
    headers: ["Content-Type", "application/octet-stream", "Content-Length", String(size), ...scripted({ do: "echo" })],
    body: seededBytes(size, 21),
  });
  expect(JSON.parse(text)).toMatchObject({ bytes: size, sha256: hash.digest("hex") });
  expect(peak.stop() - before).toBeLessThan(GROWTH_BYTES);
});

test("a JSON body of 50 MB that asks for a stream arrives whole in little memory", async () => {
  const size = 50 * MB;
  const head = Buffer.from('{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"');
  const body = Buffer.concat([head, Buffer.alloc(size, "a"), Buffer.from('"}]}')]);
  const before = residentBytes(wire.proxy.process.pid);
  const peak = watchPeak();
  const { text } = await ask(`${wire.proxy.url}/v1/chat/completions`, {
    method: "POST",
    headers: ["Content-Type", "application/json", ...scripted({ do: "echo" })],
    body,
  });
  expect(JSON.parse(text)).toMatchObject({
    bytes: body.length,
    sha256: createHash("sha256").update(body).digest("hex"),
  });
  expect(peak.stop() - before).toBeLessThan(GROWTH_BYTES);
});

test("an answer of 100 MB arrives whole in little memory", async () => {
  const before = residentBytes(wire.proxy.process.pid);
  const peak = watchPeak();
  const headers = scripted({ do: "bytes", size: 100 * MB, seed: 4, framing: "chunked" });
  const answer = await ask(`${wire.proxy.url}/v1/files/f/content`, { headers, hashOnly: true });
  const hash = createHash("sha256");
  for (const piece of seededBytes(100 * MB, 4)) hash.update(piece);
  expect(answer).toMatchObject({ bytes: 100 * MB, sha256: hash.digest("hex"), complete: true });
  expect(peak.stop() - before).toBeLessThan(GROWTH_BYTES);
}, 30_000);

test("a client that does not read stops the upstream from sending, and gets all of it in the end", async () => {
  let sent = 0;
  wire.upstream.on("/v1/flood", async (_req, res) => {
    res.writeHead(200, ["Content-Type", "application/octet-stream"]);
    for (const piece of seededBytes(FLOOD_BYTES, 8)) {
      if (!(await write(res, piece))) return;
      sent += piece.length;
    }
    res.end();
  });
  const before = residentBytes(wire.proxy.process.pid);
  const { response } = open(`${wire.proxy.url}/v1/flood`);
  const res = await response;
  res.pause();
  await settled(() => sent);
  const stalledAt = sent;
  expect(stalledAt).toBeLessThan(FLOOD_BYTES / 2);
  expect(residentBytes(wire.proxy.process.pid) - before).toBeLessThan(GROWTH_BYTES);
  await sleep(500);
  expect(sent).toBe(stalledAt);
  let received = 0;
  res.on("data", (piece: Buffer) => {
    received += piece.length;
  });
  res.resume();
  await new Promise((done) => res.once("close", done));
  expect(received).toBe(FLOOD_BYTES);
}, 60_000);

test("an upstream that does not read stops the client from sending, and gets all of it in the end", async () => {
  let go = () => {};
  let received = 0;
  wire.upstream.on("/v1/stuffed", (req, res) => {
    req.pause();
    go = () => {
      req.on("data", (piece: Buffer) => {
        received += piece.length;
      });
      req.on("end", () => res.end("ok"));
      req.resume();
    };
  });
  let sent = 0;
  const pieces = (function* () {
    for (const piece of seededBytes(FLOOD_BYTES, 2)) {
      yield piece;
      sent += piece.length;
    }
  })();
  const before = residentBytes(wire.proxy.process.pid);
  const { response } = open(`${wire.proxy.url}/v1/stuffed`, {
    method: "POST",
    headers: ["Content-Type", "application/octet-stream", "Content-Length", String(FLOOD_BYTES)],
    body: pieces,
  });
  await settled(() => sent);
  expect(sent).toBeLessThan(FLOOD_BYTES / 2);
  expect(residentBytes(wire.proxy.process.pid) - before).toBeLessThan(GROWTH_BYTES);
  go();
  const res = await response;
  res.resume();
  expect(received).toBe(FLOOD_BYTES);
}, 60_000);

test("an answer that comes before the request is read reaches the client", async () => {
  const body = JSON.stringify({
    error: { message: "too large", type: "invalid_request_error", param: null, code: null },
  });
  const answer = await ask(`${wire.proxy.url}/v1/files`, {
    method: "POST",
    headers: [
      "Content-Type",
      "application/octet-stream",
      "Content-Length",
      String(5 * MB),
      ...scripted({ do: "early", status: 413, body }),
    ],
    body: seededBytes(5 * MB, 1),
  });
  expect(answer).toMatchObject({ status: 413, text: body, complete: true });
});

test("a slow client hinders nobody else", async () => {
  const slow = open(`${wire.proxy.url}/v1/files/f/content`, {
    headers: scripted({ do: "bytes", size: 20 * MB, seed: 6 }),
  });
  (await slow.response).pause();
  const from = performance.now();
  for (let i = 0; i < 50; i++) expect((await ask(`${wire.proxy.url}/v1/models`)).status).toBe(200);
  expect(performance.now() - from).toBeLessThan(3000);
  slow.req.destroy();
});

/** The largest resident size until `stop`. */
function watchPeak(): { stop(): number } {
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, residentBytes(wire.proxy.process.pid));
  };
  const timer = setInterval(look, 20);
  return {
    stop() {
      look();
      clearInterval(timer);
      return peak;
    },
  };
}

/** Waits until a number has stopped growing for 400 ms. */
async function settled(value: () => number): Promise<void> {
  let last = -1;
  let since = Date.now();
  await eventually(
    "the sender stands still",
    async () => {
      if (value() !== last) {
        last = value();
        since = Date.now();
      }
      return Date.now() - since > 400;
    },
    20_000,
  );
}
