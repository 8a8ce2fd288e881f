import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FRAME, MESSAGE } from "#lib/spool/frames.ts";
import { createSpoolReader } from "#lib/spool/reader.ts";
import { appendAll } from "#lib/spool/segment-file.ts";
import { createSpoolWriter } from "#lib/spool/writer.ts";

const key = randomBytes(32);

function spool() {
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-messages-"));
  let writes = 0;
  const writer = createSpoolWriter({
    dir,
    spool: "s",
    key,
    spoolBytes: 1 << 30,
    appendSync: (fd, parts) => {
      writes++;
      appendAll(fd, parts);
    },
  });
  const messages = () => {
    const reader = createSpoolReader(dir, key, { segment: 0, offset: 0 });
    const found = [];
    for (let batch = reader.next(); batch; batch = reader.next())
      for (const frame of batch.frames)
        if (frame.type === FRAME.serverMessage || frame.type === FRAME.clientMessage)
          found.push({ ...frame, payload: Buffer.from(frame.payload).toString("latin1") });
    reader.close();
    return found;
  };
  return { writer, messages, writes: () => writes };
}

test("a message has its length on the wire, its kind and its text", () => {
  const { writer, messages } = spool();
  writer.message(FRAME.clientMessage, 7, 12.5, 1300, MESSAGE.text, Buffer.from("{}"));
  writer.message(FRAME.serverMessage, 8, 13, 4, MESSAGE.binary, new Uint8Array(0));
  writer.close();
  expect(messages()).toEqual([
    { type: FRAME.clientMessage, seq: 7, at: 12.5, offset: 1300, payload: "\x01{}" },
    { type: FRAME.serverMessage, seq: 8, at: 13, offset: 4, payload: "\x02" },
  ]);
});

test("a message that ends a call is written at once, with those before it, in one write", () => {
  const { writer, messages, writes } = spool();
  const before = writes();
  writer.message(FRAME.serverMessage, 1, 1, 1, MESSAGE.text, Buffer.from("a"));
  writer.message(FRAME.serverMessage, 1, 2, 1, MESSAGE.text, Buffer.from("b"), true);
  expect(messages().map(({ payload }) => payload)).toEqual(["\x01a", "\x01b"]);
  expect(writes()).toBe(before + 1);
  writer.close();
});

test("a text of 256 kB is one frame", () => {
  const { writer, messages } = spool();
  for (let i = 0; i < 3; i++)
    writer.message(FRAME.serverMessage, 1, i, 1 << 20, MESSAGE.cut, Buffer.alloc(256 << 10, 65));
  writer.close();
  expect(messages().map(({ payload }) => payload.length)).toEqual(Array(3).fill((256 << 10) + 1));
});
