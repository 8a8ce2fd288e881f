import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writevSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Exchange } from "#lib/exchange.ts";
import { createAssembler } from "#lib/spool/assembler.ts";
import { openOpenExchange, sealOpenExchange } from "#lib/spool/carry.ts";
import { FRAME } from "#lib/spool/frames.ts";
import { createSpoolReader, type SpoolPosition } from "#lib/spool/reader.ts";
import { listSegments, segmentName } from "#lib/spool/segment.ts";
import { createSpoolWriter, type SpoolWriter, type SpoolWriterOptions } from "#lib/spool/writer.ts";

const key = randomBytes(32);
const newDir = () => mkdtempSync(join(tmpdir(), "omnimeter-spool-"));
const newWriter = (dir: string, over: Partial<SpoolWriterOptions> = {}) =>
  createSpoolWriter({ dir, spool: "s", key, spoolBytes: 1 << 30, ...over });

/** A call from start to end; resolves when the end frame is written (or the wait is over). */
async function writeCall(writer: SpoolWriter, body: string): Promise<number> {
  const seq = await new Promise<number>((resolve) => {
    const n = writer.start(JSON.stringify({ id: `id-${body}`, kind: "http", headers: [] }), () => resolve(n));
    if (n === 0) resolve(0);
  });
  if (seq) await endCall(writer, seq, body);
  return seq;
}

async function endCall(writer: SpoolWriter, seq: number, body: string) {
  writer.chunk(FRAME.requestChunk, seq, 1, 0, Buffer.from(body));
  writer.head(seq, 2, JSON.stringify({ status: 200, headers: [] }));
  await new Promise<void>((resolve) =>
    writer.end(seq, 3, JSON.stringify({ ending: "completed", requestBytes: body.length, responseBytes: 0 }), resolve),
  );
}

const startOnly = (writer: SpoolWriter, body: string) =>
  new Promise<number>((resolve) => {
    const seq = writer.start(JSON.stringify({ id: `id-${body}`, kind: "http", headers: [] }), () => resolve(seq));
  });

function readAll(dir: string, from: SpoolPosition = { segment: 0, offset: 0 }) {
  const reader = createSpoolReader(dir, key, from);
  const assembler = createAssembler("s");
  const exchanges: Exchange[] = [];
  let at = from;
  for (let batch = reader.next(); batch; batch = reader.next()) {
    exchanges.push(...assembler.add(batch).exchanges);
    at = batch.to;
  }
  reader.close();
  return { exchanges, damaged: reader.damaged(), at, assembler };
}

const firstSegment = (dir: string) => join(dir, segmentName(listSegments(dir)[0] as number));

const bodyOf = (exchange: Exchange) => Buffer.concat(exchange.request.chunks.map((chunk) => chunk.bytes)).toString();

describe("the spool", () => {
  it("gives back calls as they were written, and nothing of them can be read on the disk", async () => {
    const dir = newDir();
    const writer = newWriter(dir);
    await writeCall(writer, "what is the secret?");
    writer.close();
    const { exchanges } = readAll(dir);
    expect(exchanges.map(bodyOf)).toEqual(["what is the secret?"]);
    expect(exchanges[0]).toMatchObject({
      id: "id-what is the secret?",
      response: { status: 200 },
      end: { ending: "completed" },
    });
    expect(readFileSync(firstSegment(dir)).includes("secret")).toBe(false);
  });

  it("writes the calls of one loop turn in one batch", async () => {
    let writes = 0;
    const writer = newWriter(newDir(), {
      appendSync: (fd, parts) => {
        writes++;
        writevSync(fd, parts);
      },
    });
    await Promise.all(["a", "b", "c"].map((body) => startOnly(writer, body)));
    expect(writes).toBe(1);
    writer.close();
  });

  it("splits a body that is larger than a batch and puts it together again", async () => {
    const dir = newDir();
    const writer = newWriter(dir);
    const body = "x".repeat(300_000);
    await writeCall(writer, body);
    writer.close();
    const { exchanges } = readAll(dir);
    expect(exchanges.map(bodyOf)).toEqual([body]);
    expect(exchanges[0]?.request.cut).toBe(false);
  });

  it("loses only the batch that is damaged, and the hole shows", async () => {
    const dir = newDir();
    const writer = newWriter(dir);
    for (const body of ["one", "two", "three"]) await writeCall(writer, body);
    writer.close();
    const file = firstSegment(dir);
    const bytes = readFileSync(file);
    const marks = [...bytes.toString("latin1").matchAll(/TBOM/g)].map((match) => match.index);
    // Two batches a call: the start of "two" is the third one.
    bytes[(marks[2] as number) + 20] = (bytes[(marks[2] as number) + 20] as number) ^ 0xff;
    writeFileSync(file, bytes);
    const { exchanges, damaged, assembler } = readAll(dir);
    expect(exchanges.map(bodyOf)).toEqual(["one", "three"]);
    expect(damaged).toBe(1);
    expect(assembler.current().totals).toMatchObject({ accepted: 3, started: 2 });
    // Once the run is over, the gap has a name, and the equation holds.
    assembler.endRun();
    expect(assembler.current().totals.dropped).toEqual({ torn: 1 });
  });

  it("finds the batches behind one whose length is damaged", async () => {
    const dir = newDir();
    const writer = newWriter(dir);
    for (let i = 0; i < 10; i++) await writeCall(writer, `body ${i}`);
    writer.close();
    newWriter(dir).close();
    const file = firstSegment(dir);
    const bytes = readFileSync(file);
    const marks = [...bytes.toString("latin1").matchAll(/TBOM/g)].map((match) => match.index);
    bytes.writeUInt32LE(bytes.readUInt32LE((marks[9] as number) + 4) | (1 << 18), (marks[9] as number) + 4);
    writeFileSync(file, bytes);
    const { exchanges, damaged } = readAll(dir);
    expect(exchanges).toHaveLength(10);
    expect(exchanges.filter(({ end }) => end === null)).toHaveLength(1);
    expect(damaged).toBe(1);
  });

  it("leaves a torn end alone while the segment is open, and goes on behind it once there is a later one", async () => {
    const dir = newDir();
    const first = newWriter(dir);
    await writeCall(first, "whole");
    await startOnly(first, "in flight");
    first.close();
    appendFileSync(firstSegment(dir), Buffer.from("TBOM\x40\x00\x00\x00\x09\x00\x00\x00half a batch", "latin1"));
    expect(readAll(dir).damaged).toBe(0);

    const second = newWriter(dir);
    await writeCall(second, "next life");
    second.close();
    const { exchanges, damaged } = readAll(dir);
    expect(damaged).toBe(1);
    expect(exchanges.map((one) => [one.id, one.end?.ending ?? "interrupted"])).toEqual([
      ["id-whole", "completed"],
      ["id-in flight", "interrupted"],
      ["id-next life", "completed"],
    ]);
  });

  it("goes on in a new segment when one is full, and never uses a number again", async () => {
    const dir = newDir();
    const writer = newWriter(dir, { segmentBytes: 2000 });
    for (let i = 0; i < 20; i++) await writeCall(writer, `body ${i}`);
    writer.close();
    expect(listSegments(dir).length).toBeGreaterThan(2);
    expect(readAll(dir).exchanges).toHaveLength(20);
    const last = listSegments(dir).at(-1) as number;
    newWriter(dir).close();
    expect(listSegments(dir).at(-1)).toBe(last + 1);
  });

  it("resumes between any two batches without losing or doubling a call", async () => {
    const dir = newDir();
    const writer = newWriter(dir, { segmentBytes: 1500 });
    for (let i = 0; i < 12; i++) await writeCall(writer, `body ${i}`);
    writer.close();
    const reader = createSpoolReader(dir, key, { segment: 0, offset: 0 });
    const places: SpoolPosition[] = [];
    for (let batch = reader.next(); batch; batch = reader.next()) places.push(batch.to);
    for (const place of places) {
      const before = readAll(dir).exchanges.length;
      const after = readAll(dir, place).exchanges.length;
      expect(after).toBeLessThanOrEqual(before);
    }
    expect(readAll(dir, places.at(-1) as SpoolPosition).exchanges).toHaveLength(0);
  });

  it("follows a writer that is still writing", async () => {
    const dir = newDir();
    const writer = newWriter(dir, { segmentBytes: 1500 });
    const reader = createSpoolReader(dir, key, { segment: 0, offset: 0 });
    const assembler = createAssembler("s");
    const seen: string[] = [];
    for (let i = 0; i < 30; i++) {
      await writeCall(writer, `body ${i}`);
      for (let batch = reader.next(); batch; batch = reader.next())
        seen.push(...assembler.add(batch).exchanges.map(bodyOf));
    }
    writer.close();
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => `body ${i}`));
  });

  it("keeps a long call's frames so that its first segments can be deleted", async () => {
    const dir = newDir();
    const writer = newWriter(dir);
    const seq = await startOnly(writer, "long");
    writer.chunk(FRAME.requestChunk, seq, 1, 0, Buffer.from("first half, "));
    await sleep(20);
    const { assembler, at } = readAll(dir);
    const carried = assembler.open().map((one) => openOpenExchange(key, sealOpenExchange(key, { ...one, from: at })));
    writer.chunk(FRAME.requestChunk, seq, 2, 12, Buffer.from("second half"));
    await new Promise<void>((resolve) =>
      writer.end(seq, 3, JSON.stringify({ ending: "completed", requestBytes: 23 }), resolve),
    );
    writer.close();

    const later = createAssembler("s");
    later.restore(carried, assembler.current().run, assembler.current().totals);
    const reader = createSpoolReader(dir, key, at);
    const exchanges: Exchange[] = [];
    for (let batch = reader.next(); batch; batch = reader.next()) exchanges.push(...later.add(batch).exchanges);
    expect(exchanges.map(bodyOf)).toEqual(["first half, second half"]);
    expect(exchanges[0]?.request.cut).toBe(false);
  });
});

describe("the spool when the disk does not do its part", () => {
  it("drops and counts new calls when its size limit is reached, and takes calls again when there is room", async () => {
    const dir = newDir();
    const writer = newWriter(dir, { spoolBytes: 3000 });
    const taken: number[] = [];
    for (let i = 0; i < 20; i++) taken.push(await writeCall(writer, "x".repeat(200)));
    const kept = taken.filter(Boolean).length;
    expect(kept).toBeGreaterThan(0);
    expect(writer.tally()).toMatchObject({ accepted: 20, dropped: { spool_full: 20 - kept } });
    writer.close();
    const { exchanges, assembler } = readAll(dir);
    expect(exchanges).toHaveLength(kept);
    expect(assembler.current().totals).toMatchObject({
      accepted: 20,
      started: kept,
      dropped: { spool_full: 20 - kept },
    });
  });

  it("lets an end go after 50 ms when a write fails, counts it at risk, and writes it when the disk is back", async () => {
    const dir = newDir();
    let broken = false;
    const writer = newWriter(dir, {
      appendSync: (fd, parts) => {
        if (broken) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
        writevSync(fd, parts);
      },
    });
    const seq = await startOnly(writer, "held");
    broken = true;
    const before = performance.now();
    // The failed batch goes to the queue, whose own writes reach the file again.
    await endCall(writer, seq, "held");
    expect(performance.now() - before).toBeLessThan(500);
    broken = false;
    await sleep(300);
    await writeCall(writer, "after");
    writer.close();
    expect(readAll(dir).exchanges.map(bodyOf)).toEqual(["held", "after"]);
  });

  it("tells why calls are missing in the same batch as the next call, so that a crash leaves no gap unexplained", async () => {
    const dir = newDir();
    const writer = newWriter(dir);
    for (let i = 0; i < 5; i++) writer.drop("too_many_calls");
    await writeCall(writer, "next");
    expect(readAll(dir).assembler.current().totals).toMatchObject({
      accepted: 6,
      started: 1,
      dropped: { too_many_calls: 5 },
    });
    writer.close();
  });

  it("goes on in a new directory when somebody deletes the one in use", async () => {
    const dir = newDir();
    const writer = newWriter(dir, { restoreDir: () => void mkdirSync(dir, { recursive: true }) });
    await writeCall(writer, "gone");
    rmSync(dir, { recursive: true });
    await sleep(1200);
    await writeCall(writer, "kept");
    writer.close();
    expect(readAll(dir).exchanges.map(bodyOf)).toEqual(["kept"]);
  });

  it("goes on in a new segment when a file may not grow any more (EFBIG)", async () => {
    const dir = newDir();
    const key = randomBytes(32);
    const url = (file: string) => JSON.stringify(new URL(`../../lib/spool/${file}`, import.meta.url).href);
    // Calls of 4 kB each, in files of at most 32 blocks (16 or 32 kB, as the shell counts). A tenth at a time is refused
    // meanwhile, so each is tried until it is taken.
    const script = `
      const { createSpoolWriter } = await import(${url("writer.ts")});
      const key = Buffer.from("${key.toString("hex")}", "hex");
      const writer = createSpoolWriter({ dir: ${JSON.stringify(dir)}, spool: "s", key, spoolBytes: 1e9 });
      for (let i = 0; i < 40; ) {
        const seq = await new Promise((done) => {
          const seq = writer.start(JSON.stringify({ id: "id-" + i, body: "x".repeat(4000) }), () => done(seq));
          if (seq === 0) setTimeout(done, 5, 0);
        });
        if (seq === 0) continue;
        i++;
        await new Promise((done) => writer.end(seq, 1, '{"ending":"completed"}', done));
      }
      while (writer.tally().strained) await new Promise((soon) => setTimeout(soon, 5));
      writer.close();`;
    execFileSync("sh", ["-c", 'ulimit -f 32; exec "$0" --input-type=module -e "$1"', process.execPath, script]);
    const reader = createSpoolReader(dir, key, { segment: 0, offset: 0 });
    const assembler = createAssembler("s");
    const ids: string[] = [];
    for (let batch = reader.next(); batch; batch = reader.next())
      ids.push(...assembler.add(batch).exchanges.map(({ id }) => id));
    reader.close();
    expect(ids.sort()).toEqual(Array.from({ length: 40 }, (_, i) => `id-${i}`).sort());
    expect(reader.damaged()).toBe(0);
    expect(listSegments(dir).length).toBeGreaterThan(4);
  });

  it("starts on a directory it cannot write to, relays without recording, and says why", async () => {
    const writer = newWriter(join(newDir(), "missing"));
    expect(await writeCall(writer, "x")).toBe(0);
    expect(writer.tally()).toMatchObject({ accepted: 1, dropped: { disk_error: 1 } });
    writer.close();
  });
});
