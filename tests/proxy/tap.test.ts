import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Tap } from "#lib/proxy/tap.ts";
import { createAssembler } from "#lib/spool/assembler.ts";
import { FRAME } from "#lib/spool/frames.ts";
import { createSpoolReader } from "#lib/spool/reader.ts";
import { createSpoolWriter } from "#lib/spool/writer.ts";

const key = randomBytes(32);

/** What is kept of a body that comes in these chunks: of an answer, or of a request whose end is kept or not. */
async function record(keepBytes: number, chunks: Buffer[], of: "answer" | "form" | "request" = "answer") {
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-tap-"));
  const spool = createSpoolWriter({ dir, spool: "s", key, spoolBytes: 1 << 30 });
  const type = of === "answer" ? FRAME.responseChunk : FRAME.requestChunk;
  const tap = new Tap(spool, type, keepBytes, of !== "request");
  const seq = await new Promise<number>((resolve) => {
    const n = spool.start("{}", () => resolve(n));
  });
  spool.head(seq, 0, '{"status":200,"headers":[]}');
  for (const [i, chunk] of chunks.entries()) tap.chunk(seq, i, chunk);
  tap.finish(seq);
  const bytes = of === "answer" ? { responseBytes: tap.bytes } : { requestBytes: tap.bytes };
  await new Promise<void>((resolve) => spool.end(seq, 9, JSON.stringify({ ending: "completed", ...bytes }), resolve));
  spool.close();
  const reader = createSpoolReader(dir, key, { segment: 0, offset: 0 });
  const assembler = createAssembler("s");
  for (let batch = reader.next(); batch; batch = reader.next()) {
    const [exchange] = assembler.add(batch).exchanges;
    if (exchange?.response) return of === "answer" ? exchange.response : exchange.request;
  }
  throw new Error("nothing was recorded");
}

describe("what is kept of a body", () => {
  it("is all of it below the limit", async () => {
    const kept = await record(1000, [Buffer.from("abc"), Buffer.from("def")]);
    expect(kept).toMatchObject({ bytes: 6, cut: false });
    expect(Buffer.concat(kept.chunks.map((chunk) => chunk.bytes)).toString()).toBe("abcdef");
  });

  it("is its beginning and its last 64 kB beyond the limit, at their places, and it is marked as cut", async () => {
    const body = randomBytes(500_000);
    const chunks = Array.from({ length: 50 }, (_, i) => body.subarray(i * 10_000, (i + 1) * 10_000));
    const kept = await record(15_000, chunks);
    expect(kept).toMatchObject({ bytes: 500_000, cut: true });
    for (const { offset, bytes } of kept.chunks)
      expect(bytes.equals(body.subarray(offset, offset + bytes.length))).toBe(true);
    const [first, last] = [kept.chunks[0], kept.chunks.at(-1)];
    expect(first?.offset).toBe(0);
    expect((last?.offset ?? 0) + (last?.bytes.length ?? 0)).toBe(500_000);
    const tail = kept.chunks.filter(({ offset }) => offset >= 15_000).reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(tail).toBeGreaterThanOrEqual(64 << 10);
    expect(tail).toBeLessThan((64 << 10) + 10_000);
  });

  it("is the last 64 kB also when one chunk is larger than that", async () => {
    const body = randomBytes(300_000);
    const kept = await record(1000, [body]);
    const last = kept.chunks.at(-1);
    expect(kept.chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(1000 + (64 << 10));
    expect((last?.offset ?? 0) + (last?.bytes.length ?? 0)).toBe(300_000);
  });

  it("is the end of a form too, where the fields behind a large file are, and of other requests the beginning only", async () => {
    const fields = '\r\n--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n';
    const chunks = [...Array.from({ length: 30 }, () => randomBytes(10_000)), Buffer.from(fields)];
    const form = await record(15_000, chunks, "form");
    expect(form).toMatchObject({ bytes: 300_000 + fields.length, cut: true });
    expect(Buffer.concat(form.chunks.map((chunk) => chunk.bytes)).toString("latin1")).toContain(fields);
    const request = await record(15_000, chunks, "request");
    expect(request.chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(15_000);
  });
});
