import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareCalls } from "#db/prepare-calls.ts";
import { recordBatch } from "#db/record-batch.ts";
import { leaseSpool, releaseSpool, touchSpool } from "#db/spool-lease.ts";
import { openContent } from "#lib/privacy/seal.ts";
import { recordSpool } from "#lib/recorder/record-spool.ts";
import type { Store } from "#lib/recorder/store.ts";
import { FRAME } from "#lib/spool/frames.ts";
import { listSegments } from "#lib/spool/segment.ts";
import { createSpoolWriter, type SpoolWriter } from "#lib/spool/writer.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

const spoolKey = randomBytes(32);
const contentKey = randomBytes(32);
const newId = createUuid7();

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.drop());

/** A spool with its writer, and a recorder that can be stopped and started like a process. */
function newSpool(segmentBytes = 1 << 20) {
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-recorder-"));
  const spool = `spool-${newId()}`;
  const newWriter = () => createSpoolWriter({ dir, spool, key: spoolKey, spoolBytes: 1 << 30, segmentBytes });
  let lives = 0;
  return {
    dir,
    spool,
    newWriter,
    /** Resolves when the recorder has stopped. `change` puts faults between the recorder and the store. */
    record(change: (store: Store) => Store = (store) => store) {
      let stop = false;
      const log: string[] = [];
      const lease = `recorder ${++lives}`;
      const store = change({
        lease: (name, by, evenIfHeld) => leaseSpool(db.sql, name, by, evenIfHeld),
        touch: (name, by) => touchSpool(db.sql, name, by),
        release: (name, by) => releaseSpool(db.sql, name, by),
        prepare: prepareCalls,
        record: (batch) => recordBatch(db.sql, batch),
      });
      const done = store.lease(spool, lease, true).then((held) =>
        recordSpool(held as NonNullable<typeof held>, {
          dir,
          spool,
          lease,
          spoolKey,
          contentKey,
          keepSegments: false,
          store,
          stopping: () => stop,
          log: (line) => log.push(line),
        }),
      );
      return {
        log,
        async stop() {
          stop = true;
          await done;
        },
      };
    },
    calls: () => db.sql`select * from calls where spool = ${spool} order by seq`,
    async until(count: number) {
      for (let i = 0; i < 250; i++) {
        if ((await this.calls()).length >= count) return;
        await sleep(20);
      }
      throw new Error(`${count} calls were not stored in time`);
    },
  };
}

const { start, request, response } = chatExchange();
const requestBytes = request.chunks[0]?.bytes as Buffer;
const answerBytes = response?.chunks[0]?.bytes as Buffer;

const begin = (writer: SpoolWriter) =>
  new Promise<number>((resolve) => {
    const seq = writer.start(JSON.stringify({ ...start, id: newId() }), () => resolve(seq));
  });

async function finish(writer: SpoolWriter, seq: number) {
  writer.chunk(FRAME.requestChunk, seq, 1, 0, requestBytes);
  writer.head(seq, 2, JSON.stringify({ status: 200, headers: response?.headers }));
  writer.chunk(FRAME.responseChunk, seq, 3, 0, answerBytes);
  const end = endOf({ requestBytes: requestBytes.length, responseBytes: answerBytes.length });
  await new Promise<void>((resolve) => writer.end(seq, 4, JSON.stringify(end), resolve));
}

async function writeCalls(writer: SpoolWriter, count: number) {
  for (let i = 0; i < count; i++) await finish(writer, await begin(writer));
}

const equation = async (spool: string) => [
  ...(await db.sql`select accepted, stored, set_aside, dropped from spool_runs where spool = ${spool}`),
];

describe("the recorder", () => {
  it("stores what it reads, its content sealed, and deletes the segments behind it", async () => {
    const spool = newSpool(4000);
    const writer = spool.newWriter();
    const recorder = spool.record();
    await writeCalls(writer, 30);
    await spool.until(30);
    await recorder.stop();
    writer.close();
    expect(listSegments(spool.dir).length).toBeLessThanOrEqual(2);
    const [first] = await spool.calls();
    expect(first).toMatchObject({
      model: "gpt-4o-2024-08-06",
      input_tokens: 13,
      output_tokens: 8,
      outcome: "completed",
    });
    const [payload] = await db.sql`select sealed from payloads where call_id = ${first?.id}`;
    expect(openContent(payload?.sealed, contentKey).output).toMatchObject([{ parts: [{ text: "About 6,650 km." }] }]);
    expect(await equation(spool.spool)).toEqual([{ accepted: 30, stored: 30, set_aside: 0, dropped: {} }]);
  });

  it("stores each call once although the database goes away in the middle", async () => {
    const spool = newSpool();
    const writer = spool.newWriter();
    let away = 3;
    const recorder = spool.record((store) => ({
      ...store,
      async record(batch) {
        // Before the transaction, and after it: the second is the answer that got lost on the way.
        if (away-- > 0) throw Object.assign(new Error("connection refused"), { code: "ECONNREFUSED" });
        return store.record(batch);
      },
    }));
    await writeCalls(writer, 20);
    await spool.until(20);
    await writeCalls(writer, 5);
    await spool.until(25);
    await recorder.stop();
    writer.close();
    expect(recorder.log).toHaveLength(1);
    expect(await equation(spool.spool)).toEqual([{ accepted: 25, stored: 25, set_aside: 0, dropped: {} }]);
  });

  it("sets a batch aside that cannot be written down, instead of trying it for ever", async () => {
    const spool = newSpool();
    const writer = spool.newWriter();
    const recorder = spool.record((store) => ({
      ...store,
      async record(batch) {
        if (batch.calls.length > 0) throw new RangeError("Invalid string length");
        return store.record(batch);
      },
    }));
    await writeCalls(writer, 2);
    await expect.poll(() => equation(spool.spool)).toEqual([{ accepted: 2, stored: 0, set_aside: 2, dropped: {} }]);
    await recorder.stop();
    writer.close();
    expect(await db.sql`select distinct reason from set_aside where spool = ${spool.spool}`).toEqual([
      { reason: "cannot be read: Invalid string length" },
    ]);
  });

  it("starts anew when the answer to a commit was lost, and counts nothing twice", async () => {
    const spool = newSpool();
    const writer = spool.newWriter();
    let lose = true;
    const unlucky = spool.record((store) => ({
      ...store,
      async record(batch) {
        const done = await store.record(batch);
        if (lose) {
          lose = false;
          throw Object.assign(new Error("the connection broke"), { code: "CONNECTION_CLOSED" });
        }
        return done;
      },
    }));
    await writeCalls(writer, 10);
    // It stops by itself: the position is no longer where it thinks.
    await unlucky.stop();
    const next = spool.record();
    await writeCalls(writer, 5);
    await spool.until(15);
    await next.stop();
    writer.close();
    expect(await equation(spool.spool)).toEqual([{ accepted: 15, stored: 15, set_aside: 0, dropped: {} }]);
    expect(await db.sql`select sum(calls)::int as n from rollup_calls where writer = ${spool.spool}`).toMatchObject([
      { n: 15 },
    ]);
  });

  it("goes on where it was after being stopped anywhere, with calls in flight all the time", async () => {
    const spool = newSpool(6000);
    const writer = spool.newWriter();
    let open: number[] = [];
    for (let life = 0; life < 8; life++) {
      const recorder = spool.record();
      open.push(await begin(writer), await begin(writer));
      await writeCalls(writer, 7);
      await finish(writer, open.shift() as number);
      await sleep(life * 15);
      await recorder.stop();
    }
    for (const seq of open) await finish(writer, seq);
    open = [];
    const last = spool.record();
    await spool.until(8 * 9);
    await last.stop();
    writer.close();
    const calls = await spool.calls();
    expect(calls.map(({ seq }) => seq)).toEqual(Array.from({ length: 72 }, (_, i) => i + 1));
    expect(calls.every(({ outcome, input_tokens }) => outcome === "completed" && input_tokens === 13)).toBe(true);
    expect(await equation(spool.spool)).toEqual([{ accepted: 72, stored: 72, set_aside: 0, dropped: {} }]);
  });

  it("lets the segments behind a very long call go, and still stores it whole, over a restart too", async () => {
    const spool = newSpool(4000);
    const writer = spool.newWriter();
    const first = spool.record();
    const long = await begin(writer);
    writer.chunk(FRAME.requestChunk, long, 1, 0, requestBytes.subarray(0, 20));
    await writeCalls(writer, 40);
    await spool.until(40);
    expect(listSegments(spool.dir).length).toBeLessThanOrEqual(4);
    await first.stop();

    const second = spool.record();
    writer.chunk(FRAME.requestChunk, long, 2, 20, requestBytes.subarray(20));
    await writeCalls(writer, 40);
    writer.head(long, 3, JSON.stringify({ status: 200, headers: response?.headers }));
    writer.chunk(FRAME.responseChunk, long, 4, 0, answerBytes);
    const end = endOf({ requestBytes: requestBytes.length, responseBytes: answerBytes.length });
    await new Promise<void>((resolve) => writer.end(long, 5, JSON.stringify(end), resolve));
    await spool.until(81);
    await writeCalls(writer, 1);
    await spool.until(82);
    await second.stop();
    writer.close();
    const call = (await spool.calls()).find(({ seq }) => seq === long);
    expect(call).toMatchObject({ outcome: "completed", request_model: "gpt-4o", cut: false, input_tokens: 13 });
    expect(await db.sql`select 1 from spool_carried where spool = ${spool.spool}`).toHaveLength(0);
    expect(await equation(spool.spool)).toEqual([{ accepted: 82, stored: 82, set_aside: 0, dropped: {} }]);
  });

  it("carries long calls alone, and after a crash reads on those that were carried and those that were not", async () => {
    const spool = newSpool(4000);
    const writer = spool.newWriter();
    const first = spool.record();
    const long = await begin(writer);
    writer.chunk(FRAME.requestChunk, long, 1, 0, requestBytes.subarray(0, 20));
    await writeCalls(writer, 40);
    const short = await begin(writer);
    writer.chunk(FRAME.requestChunk, short, 1, 0, requestBytes.subarray(0, 30));
    await writeCalls(writer, 1);
    await spool.until(41);
    expect(
      (await db.sql`select seq from spool_carried where spool = ${spool.spool}`).map(({ seq }) => Number(seq)),
    ).toEqual([long]);
    // The second takes the lease as from a dead one; the first finds out when it next asks.
    const second = spool.record();
    for (const [seq, at] of [
      [long, 20],
      [short, 30],
    ] as const) {
      writer.chunk(FRAME.requestChunk, seq, 2, at, requestBytes.subarray(at));
      writer.head(seq, 3, JSON.stringify({ status: 200, headers: response?.headers }));
      writer.chunk(FRAME.responseChunk, seq, 4, 0, answerBytes);
      const end = endOf({ requestBytes: requestBytes.length, responseBytes: answerBytes.length });
      await new Promise<void>((resolve) => writer.end(seq, 5, JSON.stringify(end), resolve));
    }
    await spool.until(43);
    await Promise.all([first.stop(), second.stop()]);
    writer.close();
    for (const seq of [long, short])
      expect((await spool.calls()).find((call) => call.seq === seq)).toMatchObject({
        ...{ outcome: "completed", request_model: "gpt-4o", cut: false, input_tokens: 13 },
        request_bytes: requestBytes.length,
      });
    expect(await db.sql`select 1 from spool_carried where spool = ${spool.spool}`).toHaveLength(0);
    expect(await equation(spool.spool)).toEqual([{ accepted: 43, stored: 43, set_aside: 0, dropped: {} }]);
  });

  it("calls what a dead worker left open interrupted, with what had been seen", async () => {
    const spool = newSpool();
    const recorder = spool.record();
    const dying = spool.newWriter();
    await finish(dying, await begin(dying));
    const open = await begin(dying);
    dying.chunk(FRAME.requestChunk, open, 1, 0, requestBytes);
    await sleep(20);
    const next = spool.newWriter();
    await finish(next, await begin(next));
    await spool.until(3);
    await recorder.stop();
    next.close();
    expect((await spool.calls()).map(({ outcome, request_model }) => [outcome, request_model]).sort()).toEqual([
      ["completed", "gpt-4o"],
      ["completed", "gpt-4o"],
      ["interrupted", "gpt-4o"],
    ]);
    const runs = await equation(spool.spool);
    expect(runs.map(({ accepted, stored }) => [accepted, stored]).sort()).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it("keeps feedback as safe as calls", async () => {
    const spool = newSpool();
    const writer = spool.newWriter();
    const recorder = spool.record();
    const feedback = {
      id: newId(),
      receivedAtMs: Date.now(),
      target: { kind: "session", id: spool.spool },
      item: null,
      rating: "down",
      score: null,
      comment: "my card 4111 1111 1111 1111 was shown",
      correction: null,
      labels: ["privacy"],
      rater: "r",
    };
    await new Promise((resolve) => writer.feedback(JSON.stringify(feedback), resolve));
    await writeCalls(writer, 1);
    await spool.until(1);
    await recorder.stop();
    writer.close();
    const [row] = await db.sql`select rating, comment, labels from feedback where id = ${feedback.id}`;
    expect(row).toMatchObject({ rating: "down", labels: ["privacy"] });
    expect(row?.comment).not.toContain("4111");
  });
});
