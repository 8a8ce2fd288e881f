import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { compareCalls, replaceStale } from "#db/decoded-again.ts";
import { prepareCalls } from "#db/prepare-calls.ts";
import { recordBatch } from "#db/record-batch.ts";
import { replaceSessions } from "#db/replace-sessions.ts";
import { runJob } from "#db/run-job.ts";
import { leaseSpool, releaseSpool, spoolHigh, touchSpool } from "#db/spool-lease.ts";
import { DECODER_VERSION, decode } from "#lib/openai/decode.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import { noUsage } from "#lib/openai/no-facts.ts";
import { openContent } from "#lib/privacy/seal.ts";
import { newReport, writeReport } from "#lib/recorder/again-report.ts";
import type { Decoder } from "#lib/recorder/decode-exchange.ts";
import { decodeAgain } from "#lib/recorder/decode-spool-again.ts";
import { createSocketReading } from "#lib/recorder/read-sockets.ts";
import { recordSpool } from "#lib/recorder/record-spool.ts";
import { type Reread, rereadSpool } from "#lib/recorder/reread-spool.ts";
import { FRAME } from "#lib/spool/frames.ts";
import { listSegments } from "#lib/spool/segment.ts";
import { keptDir } from "#lib/spool/spool-dir.ts";
import { createSpoolWriter, type SpoolWriter } from "#lib/spool/writer.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { openSession } from "#tests/support/spooled-session.ts";
import { tinyReader } from "#tests/support/tiny-session.ts";

const spoolKey = randomBytes(32);
const contentKey = randomBytes(32);
const newId = createUuid7();
/** It could not read usage. */
const before: Decoder = {
  version: DECODER_VERSION,
  decode: async (exchange) => ({ ...(await decode(exchange)), usage: noUsage(), lines: [] }),
};
const readerOf = () => tinyReader;
const caution = { isDeadly: () => false, begins() {} };
const sockets = createSocketReading({ projectId: "default", caution, readerOf });
const fixed: Decoder = { version: DECODER_VERSION + 1, decode };

let db: TestDatabase;
let dir: string;
let spool: string;
beforeAll(async () => {
  db = await testDatabase();
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "omnimeter-again-"));
  spool = `spool-${newId()}`;
  return () => rmSync(dir, { recursive: true, force: true });
});
afterAll(() => db.drop());

/** Writes calls as a proxy does and records them with an older decoder, the segments kept. `beside`: what else is written. */
async function record(
  count: number,
  decoder = before,
  beside: (writer: SpoolWriter) => Promise<void> = async () => {},
): Promise<string[]> {
  const writer = createSpoolWriter({ dir, spool, key: spoolKey, spoolBytes: 1 << 30, segmentBytes: 6000 });
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { id, start, request, response } = chatExchange();
    const bytes = [request, response].map((body) => body?.chunks[0]?.bytes as Buffer) as [Buffer, Buffer];
    const seq = await new Promise<number>((resolve) => {
      const given: number = writer.start(JSON.stringify({ ...start, id }), () => resolve(given));
    });
    writer.chunk(FRAME.requestChunk, seq, 1, 0, bytes[0]);
    writer.head(seq, 2, JSON.stringify({ status: 200, headers: response?.headers }));
    writer.chunk(FRAME.responseChunk, seq, 3, 0, bytes[1]);
    const end = endOf({ requestBytes: bytes[0].length, responseBytes: bytes[1].length });
    await new Promise<void>((resolve) => writer.end(seq, 4, JSON.stringify(end), resolve));
    ids.push(id);
    if (i === 0) await beside(writer);
  }
  let stop = false;
  const held = await leaseSpool(db.sql, spool, "recorder", true);
  const done = recordSpool(held as NonNullable<typeof held>, {
    ...{ dir, spool, lease: "recorder", spoolKey, contentKey, keepSegments: true, decoder, readerOf },
    store: {
      lease: (name, by, evenIfHeld) => leaseSpool(db.sql, name, by, evenIfHeld),
      touch: (name, by) => touchSpool(db.sql, name, by),
      release: (name, by) => releaseSpool(db.sql, name, by),
      prepare: prepareCalls,
      record: (batch) => recordBatch(db.sql, batch),
    },
    stopping: () => stop,
    log() {},
  });
  while ((await stored(ids)) < count) await sleep(20);
  stop = true;
  await done;
  writer.close();
  await releaseSpool(db.sql, spool, "recorder");
  return ids;
}

const stored = async (ids: string[]) => (await db.sql`select 1 from calls where id = any(${ids}::uuid[])`).length;

async function again(
  over: { dryRun?: boolean; decoder?: Decoder; fromMs?: number; toMs?: number; expired?: number } = {},
) {
  const report = newReport();
  const high = await spoolHigh(db.sql, spool);
  const range = { fromMs: over.fromMs ?? 0, toMs: over.toMs ?? Number.POSITIVE_INFINITY };
  for (const reread of rereadSpool({ dir, spool, spoolKey, high: high as NonNullable<typeof high>, sockets, ...range }))
    await runJob(db.sql, { name: `again-${spool}`, holder: "test", leaseMs: 60_000 }, (fence) =>
      decodeAgain(reread, report, {
        projectId: "default",
        contentKey,
        knownInstructions: new Set(),
        decoder: over.decoder ?? fixed,
        expiredBeforeMs: over.expired ?? null,
        dryRun: over.dryRun ?? false,
        store: {
          compare: (calls) => compareCalls(db.sql, calls),
          replace: (calls) => replaceStale(db.sql, fence, calls),
          replaceSessions: (sessions, dryRun) => replaceSessions(db.sql, fence, sessions, dryRun),
          lagSeconds: async () => 0,
        },
      }),
    );
  return report;
}
const spent = async (ids: string[]) =>
  (
    await db.sql`select trim_scale(sum(cost_usd))::text as usd, count(*)::int as lines from usage_lines where call_id = any(${ids}::uuid[])`
  )[0];
const rolledUp = async () =>
  (
    await db.sql`
    select sum(calls)::int as calls, sum(input_tokens)::int as tokens, sum(calls_without_usage)::int as without
    from rollup_calls where writer = ${spool}`
  )[0];

test("kept segments are moved out of the way of the others, and calls in them are replaced, with the difference reported", async () => {
  const ids = await record(12);
  expect(readdirSync(keptDir(dir)).length).toBeGreaterThan(1);
  expect(listSegments(dir)).toHaveLength(1);
  expect(await rolledUp()).toEqual({ calls: 12, tokens: 0, without: 12 });

  // What it would do, and it does nothing.
  const dry = await again({ dryRun: true });
  expect(dry).toMatchObject({ looked: 12, current: 0, unchanged: 0 });
  expect(dry.changed).toEqual({ calls: 12, by: { usage: 12, cost: 12 } });
  // 12 × (13 × 0.0000025 + 8 × 0.00001)
  expect(dry.cost).toEqual({ beforeUsd: "0", afterUsd: "0.00135" });
  expect(await spent(ids)).toEqual({ usd: null, lines: 0 });

  expect(await again()).toEqual(dry);
  expect(await spent(ids)).toEqual({ usd: "0.00135", lines: 24 });
  expect(await rolledUp()).toEqual({ calls: 12, tokens: 156, without: 0 });
  const [{ sealed } = {}] = await db.sql`select sealed from payloads where call_id = ${ids[0] as string}`;
  expect(openContent(sealed, contentKey).output).toMatchObject([{ parts: [{ text: "About 6,650 km." }] }]);

  // A second run finds nothing to do.
  expect(await again()).toMatchObject({ looked: 12, current: 12, changed: { calls: 0, by: {} } });
  expect(await spent(ids)).toEqual({ usd: "0.00135", lines: 24 });
  expect(writeReport(dry, true)).toContain("cost: 12 (0 USD before, 0.00135 now)");
});

test("what finance has closed stays, and the difference is booked later", async () => {
  const [id] = (await record(1)) as [string];
  const month = `${new Date(uuid7Ms(id)).toISOString().slice(0, 7)}-01`;
  await db.sql`insert into closed_periods (project_id, month) values ('default', ${month})`;
  await again();
  await db.sql`delete from closed_periods`;
  const lines =
    await db.sql`select booked_on > (${month}::date + interval '1 month' - interval '1 day') as later from usage_lines where call_id = ${id}`;
  expect([...lines]).toEqual([{ later: true }, { later: true }]);
});

test("only calls of the time asked for are read, and of a newer decoder's work nothing is undone", async () => {
  const ids = await record(3, fixed);
  expect(await again({ decoder: before })).toMatchObject({ looked: 3, current: 3 });
  const at = uuid7Ms(ids[0] as string);
  expect(await again({ fromMs: at + 3_600_000 })).toMatchObject({ looked: 0 });
  expect(await again({ toMs: at })).toMatchObject({ looked: 0 });
});

test("what is not stored is named with its reason, and is not stored behind anybody's back", async () => {
  const ids = (await record(4)) as [string, string, string, string];
  const gone = ids.slice(0, 3) as [string, string, string];
  await db.sql`delete from calls where id = any(${gone}::uuid[])`;
  await db.sql`insert into set_aside (id, spool, run, seq, reason, sealed) values (${gone[0]}, ${spool}, 'r', 1, 'odd', '')`;
  const report = await again();
  const aside = { count: 1, first: [gone[0]] };
  const none = { count: 0, first: [] };
  const others = { count: 2, first: gone.slice(1) };
  expect(report.notStored).toEqual({ setAside: aside, expired: none, unknown: others });
  const later = await again({ expired: uuid7Ms(gone[2]) + 1 });
  expect(later.notStored).toEqual({ setAside: aside, expired: others, unknown: none });
  expect(report.changed.calls).toBe(1);
  expect(await stored(ids)).toBe(1);
});

test("calls of sessions are read again from their messages, and are the same", async () => {
  const [id] = (await record(2, before, async (writer) => {
    const session = await openSession(writer);
    session.server("done r0 50");
    session.server("begin r1");
    session.server("done r1");
    await session.end();
  })) as [string];
  const ofSession = () =>
    db.sql`
      select decoder_version as v, response_id as r, sum(l.cost_usd)::float8 as usd from calls c join usage_lines l on l.call_id = c.id
      where parent_id is not null and c.spool = ${spool} group by c.id, 1, 2 order by 2`;
  // 10 tokens at $5 and 5 at $20 a million.
  const read = (v: number) => ["r0", "r1"].map((r) => ({ v, r, usd: 0.00015 }));
  expect([...(await ofSession())]).toEqual(read(before.version));
  expect(await again()).toMatchObject({ looked: 4, unchanged: 2, changed: { calls: 2 }, found: 0 });
  expect([...(await ofSession())]).toEqual(read(fixed.version));
  expect(await again({ toMs: uuid7Ms(id) })).toMatchObject({ looked: 0 });
  expect(await rolledUp()).toMatchObject({ calls: 4 });
});

test("a session that an older decoder had read is written anew with all of its turns, once, and only when it is over", async () => {
  const ids: string[] = [];
  await record(1, before, async (writer) => {
    const [over, open] = [await openSession(writer), await openSession(writer)];
    ids.push(over.id, open.id);
    for (const session of [over, open]) session.server("done r0 1000");
    over.server("done r1");
    await over.end();
  });
  await db.sql`update sessions set decoder_version = 0, turns = 77, wasted_usd = null where id = any(${ids}::uuid[])`;
  await db.sql`update turns set latency_ms = 1, index = index + 5 where session_id = any(${ids}::uuid[])`;
  const rows = () =>
    db.sql`
      select s.decoder_version as v, s.turns, s.wasted_usd::float8 as usd,
        (select array_agg(index || ' ' || latency_ms order by index) from turns where session_id = s.id) as told
      from sessions s where id = any(${ids}::uuid[]) order by id`;
  const untouched = { v: 0, turns: 77, usd: null };
  expect(await again({ dryRun: true })).toMatchObject({ sessions: 1 });
  expect(await rows()).toMatchObject([untouched, untouched]);
  expect(await again()).toMatchObject({ sessions: 1 });
  expect(await rows()).toMatchObject([
    { v: DECODER_VERSION, turns: 2, usd: 0.0016, told: ["0 40", "1 40"] },
    { ...untouched, told: ["5 1"] },
  ]);
  expect(await again()).toMatchObject({ sessions: 0 });
});

test("calls that an older decoder did not see in an exchange are stored with it, once", async () => {
  const ids = (await record(2)) as [string, string];
  const seeing: Decoder = {
    version: fixed.version,
    async decode(exchange) {
      const facts = await decode(exchange);
      const line = (name: string): ChildFacts => ({
        ...{ key: [exchange.id, name], endpoint: "chat_completions", startedAtMs: exchange.start.startedAtMs - 9e9 },
        ...{ timings: {}, outcome: "completed", status: 200, requestBytes: 0, responseBytes: 0, facts },
      });
      return { ...facts, children: [line("a"), line("b")] };
    },
  };
  const derived = () => db.sql`select parent_id from calls where spool = ${spool} and parent_id is not null order by 1`;
  expect(await again({ decoder: seeing, dryRun: true })).toMatchObject({ looked: 6, found: 4, changed: { calls: 2 } });
  expect(await derived()).toHaveLength(0);
  expect(await again({ decoder: seeing })).toMatchObject({ looked: 6, found: 4 });
  expect((await derived()).map(({ parent_id }) => parent_id)).toEqual([ids[0], ids[0], ids[1], ids[1]]);
  const twice = await again({ decoder: seeing });
  expect(twice).toMatchObject({ looked: 6, current: 6, found: 0 });
  await db.sql`delete from calls where parent_id = ${ids[0]}`;
  expect(await again({ decoder: seeing })).toMatchObject({
    current: 4,
    found: 0,
    notStored: { unknown: { count: 2 } },
  });
});

test("what cannot be decoded now, or is refused, keeps what is stored of it", async () => {
  const ids = (await record(3)) as [string, string, string];
  const poor: Decoder = {
    version: fixed.version,
    async decode(exchange) {
      if (exchange.id === ids[0]) throw new Error("a new fault");
      const facts = await decode(exchange);
      return exchange.id === ids[1] ? { ...facts, usage: { ...facts.usage, inputTokens: 1, cachedTokens: 99 } } : facts;
    },
  };
  const report = await again({ decoder: poor });
  expect(report.notDecodable).toEqual({ count: 1, first: [`${ids[0]}: a new fault`] });
  expect(report.refused).toMatchObject({ count: 1, first: [expect.stringContaining(ids[1])] });
  expect(report.changed.calls).toBe(1);
  const versions = await db.sql`select decoder_version as v from calls where id = any(${ids}::uuid[]) order by id`;
  expect(versions.map(({ v }) => v)).toEqual([DECODER_VERSION, DECODER_VERSION, fixed.version]);
});

test("content whose time is over does not come back", async () => {
  const ids = (await record(2)) as [string, string];
  await db.sql`delete from payloads where call_id = ${ids[0]}`;
  await again();
  const left = await db.sql`select call_id from payloads where call_id = any(${ids}::uuid[])`;
  expect(left.map(({ call_id }) => call_id)).toEqual([ids[1]]);
});

test("whoever lost the job in the middle writes nothing more", async () => {
  const ids = await record(1);
  const [reread] = [
    ...rereadSpool({
      dir,
      spool,
      spoolKey,
      high: (await spoolHigh(db.sql, spool)) as never,
      fromMs: 0,
      toMs: Number.POSITIVE_INFINITY,
      sockets,
    }),
  ];
  const lost = runJob(db.sql, { name: `lost-${spool}`, holder: "slow", leaseMs: 60_000 }, async (fence) => {
    await db.sql`update jobs set fence = fence + 1 where name = ${`lost-${spool}`}`;
    await decodeAgain(reread as Reread, newReport(), {
      ...{ projectId: "default", contentKey, knownInstructions: new Set<string>(), decoder: fixed },
      ...{ expiredBeforeMs: null, dryRun: false },
      store: {
        compare: (calls) => compareCalls(db.sql, calls),
        replace: (calls) => replaceStale(db.sql, fence, calls),
        replaceSessions: (sessions, dryRun) => replaceSessions(db.sql, fence, sessions, dryRun),
        lagSeconds: async () => 0,
      },
    });
  });
  await expect(lost).rejects.toThrow("somebody else's");
  expect(await spent(ids)).toEqual({ usd: null, lines: 0 });
});
