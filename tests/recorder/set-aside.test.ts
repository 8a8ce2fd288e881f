import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setAsideRows } from "#db/queries/set-aside.ts";
import { type RecordBatch, recordBatch } from "#db/record-batch.ts";
import { askRetry, beginRetry, keepSetAside, nextAsked, storeSetAside } from "#db/set-aside.ts";
import { leaseSpool } from "#db/spool-lease.ts";
import type { Exchange } from "#lib/exchange.ts";
import { DECODER_VERSION, decode } from "#lib/openai/decode.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import { noFacts, noUsage } from "#lib/openai/no-facts.ts";
import { openContent } from "#lib/privacy/seal.ts";
import type { Decoder } from "#lib/recorder/decode-exchange.ts";
import { createStretchDecoder } from "#lib/recorder/decode-stretch.ts";
import { sealExchange } from "#lib/recorder/kept-exchange.ts";
import { createSocketReading } from "#lib/recorder/read-sockets.ts";
import { type AsideStore, retrySetAside } from "#lib/recorder/retry-set-aside.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

const spoolKey = randomBytes(32);
const contentKey = randomBytes(32);
const newId = createUuid7();
const noCaution = { careful: () => false, isDeadly: () => false, begins() {}, stored() {}, over() {} };
/** A reader with a fault that a later version does not have. */
const faulty: Decoder = {
  version: DECODER_VERSION,
  decode: async (exchange) =>
    exchange.start.headers.includes("odd") ? { ...noFacts(), problems: ["reader_failed"] } : decode(exchange),
};

describe.each([18, 15] as const)("what cannot be stored, on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase(major);
  });
  afterAll(() => db.drop());

  const spools = new Map<string, number>();
  /** As the recorder does it: decoded, and stored with what could not be. */
  async function record(exchanges: Exchange[], over: Partial<RecordBatch> = {}, key: Buffer | null = contentKey) {
    const spool = (exchanges[0] as Exchange).origin.spool;
    const offset = spools.get(spool) ?? 0;
    spools.set(spool, offset + 1);
    await leaseSpool(db.sql, spool, "me", true);
    const decoder = createStretchDecoder({
      projectId: "default",
      contentKey: key,
      knownInstructions: new Set(),
      spoolKey,
      caution: noCaution,
      reading: createSocketReading({ projectId: "default", caution: noCaution }),
      decoder: faulty,
    });
    const { calls, undecoded } = await decoder.decode(exchanges, []);
    const place = { segment: offset === 0 ? 0 : 1, offset };
    const next = { segment: 1, offset: offset + 1 };
    const counts = { accepted: exchanges.length, started: exchanges.length, dropped: {}, atRisk: 0 };
    return recordBatch(db.sql, {
      ...{ spool, lease: "me", from: place, low: next, high: next, run: "run-1", runs: new Map([["run-1", counts]]) },
      ...{ calls, undecoded, feedback: [] },
      sealForSetAside: (call) =>
        sealExchange(spoolKey, exchanges.find(({ id }) => id === call.id) as Exchange, key !== null),
      ...over,
    });
  }

  const store = (over: Partial<AsideStore> = {}): AsideStore => ({
    next: (skip) => nextAsked(db.sql, skip),
    begin: (id) => beginRetry(db.sql, id),
    store: (id, decoded, derived) => storeSetAside(db.sql, id, decoded, derived),
    keep: (id, reason) => keepSetAside(db.sql, id, reason),
    ...over,
  });
  const retry = (over: { key?: Buffer; decoder?: Decoder; isOurs?: () => boolean; store?: AsideStore } = {}) =>
    retrySetAside({
      projectId: "default",
      contentKey,
      knownInstructions: new Set(),
      spoolKey: over.key ?? spoolKey,
      isOurs: over.isOurs ?? (() => true),
      store: over.store ?? store(),
      stopping: () => false,
      decoder: over.decoder,
    });

  const newSpool = () => `spool-${newId()}`;
  const exchangeOf = (spool: string, seq: number, headers: string[] = []) =>
    chatExchange({ headers, origin: { spool, run: "run-1", seq } });
  const equation = async (spool: string) => [
    ...(await db.sql`select accepted, stored, set_aside from spool_runs where spool = ${spool}`),
  ];
  const aside = (spool: string) =>
    db.sql`select id, reason, tries, retry_asked_at from set_aside where spool = ${spool}`;

  it("an exchange that no reader can read is kept whole, and stored with its money and content once one can", async () => {
    const spool = newSpool();
    const odd = exchangeOf(spool, 2, ["x-shape", "odd"]);
    expect(await record([exchangeOf(spool, 1), odd])).toEqual({ stored: 1, setAside: 1 });
    expect(await equation(spool)).toEqual([{ accepted: 2, stored: 1, set_aside: 1 }]);
    expect(await aside(spool)).toMatchObject([{ id: odd.id, tries: 0, retry_asked_at: null }]);

    expect(await retry()).toBe(0);
    expect(await askRetry(db.sql, { id: odd.id })).toBe(1);
    expect(await retry({ decoder: faulty })).toBe(0);
    expect(await aside(spool)).toMatchObject([
      { id: odd.id, tries: 1, retry_asked_at: null, reason: "cannot be decoded: its reader failed" },
    ]);

    await askRetry(db.sql, "all");
    expect(await retry()).toBe(1);
    expect(await aside(spool)).toHaveLength(0);
    expect(await equation(spool)).toEqual([{ accepted: 2, stored: 2, set_aside: 0 }]);
    const [row] = await db.sql`
      select input_tokens, spool, run, seq, (select sum(cost_usd) from usage_lines where call_id = id)::text as cost,
        (select sealed from payloads where call_id = id) as sealed
      from calls where id = ${odd.id}`;
    // 13 × 0.0000025 + 8 × 0.00001
    expect(row).toMatchObject({ input_tokens: 13, spool, run: "run-1", seq: 2, cost: "0.0001125" });
    expect(openContent(row?.sealed, contentKey).output).toMatchObject([{ parts: [{ text: "About 6,650 km." }] }]);
    expect(
      await db.sql`select sum(calls)::int as n, sum(input_tokens)::int as tokens from rollup_calls where writer = ${spool}`,
    ).toEqual([{ n: 2, tokens: 26 }]);
  });

  it("an exchange that tells of other calls brings them along when it is stored, however long ago they were", async () => {
    const spool = newSpool();
    const odd = exchangeOf(spool, 1, ["x-shape", "odd"]);
    await record([odd]);
    await askRetry(db.sql, "all");
    const batch: Decoder = {
      version: DECODER_VERSION,
      async decode(exchange) {
        const facts = await decode(exchange);
        const line = (name: string, daysAgo: number): ChildFacts => ({
          ...{ key: [spool, name], endpoint: "chat_completions", startedAtMs: Date.now() - daysAgo * 86_400_000 },
          ...{ timings: {}, outcome: "completed", status: 200, requestBytes: 0, responseBytes: 0, facts },
        });
        return { ...facts, usage: noUsage(), lines: [], children: [line("a", 0), line("b", 400)] };
      },
    };
    expect(await retry({ decoder: batch })).toBe(1);
    expect(
      await db.sql`
        select parent_id, (select sum(cost_usd) from usage_lines where call_id = id)::text as cost from calls
        where spool = ${spool} order by parent_id nulls first, id`,
    ).toMatchObject([
      { parent_id: null, cost: null },
      { parent_id: odd.id, cost: "0.0001125" },
      { parent_id: odd.id, cost: "0.0001125" },
    ]);
    expect(await equation(spool)).toEqual([{ accepted: 1, stored: 1, set_aside: 0 }]);
  });

  it("two that try the same at once store it once", async () => {
    const spool = newSpool();
    const odd = exchangeOf(spool, 1, ["x-shape", "odd"]);
    await record([odd]);
    await askRetry(db.sql, "all");
    // Both have it in hand before either stores it: a recorder that hung, and the one that took over.
    const begin = async () => true;
    await Promise.all([retry({ store: store({ begin }) }), retry({ store: store({ begin }) })]);
    expect(await equation(spool)).toEqual([{ accepted: 1, stored: 1, set_aside: 0 }]);
    expect(await db.sql`select sum(calls)::int as n from rollup_calls where writer = ${spool}`).toEqual([{ n: 1 }]);
  });

  it("a try that waits for a batch of the same spool holds nothing that the batch still needs", async () => {
    const spool = newSpool();
    const odd = exchangeOf(spool, 2, ["x-shape", "odd"]);
    await record([exchangeOf(spool, 1), odd]);
    await askRetry(db.sql, { id: odd.id });
    let trying = Promise.resolve(0);
    await db.sql.begin(async (batch) => {
      // As a batch does it: rollups first, the equation last.
      await batch`select from rollup_calls where writer = ${spool} for update`;
      trying = retry();
      const waiting = () => batch`
        select from pg_locks l join pg_database d on d.oid = l.database or l.database is null
        where not granted and d.datname = current_database() and pg_backend_pid() = any(pg_blocking_pids(l.pid))`;
      while ((await waiting()).length === 0) await sleep(5);
      await batch`select from spool_runs where spool = ${spool} for update nowait`;
    });
    expect(await trying).toBe(1);
    expect(await equation(spool)).toEqual([{ accepted: 2, stored: 2, set_aside: 0 }]);
  });

  it("a recorder that dies while it tries leaves it set aside, says so, and does not try for ever", async () => {
    const spool = newSpool();
    await record([exchangeOf(spool, 1, ["x-shape", "odd"])]);
    await askRetry(db.sql, "all");
    const dies = store({ store: async () => Promise.reject(new Error("killed")) });
    await expect(retry({ store: dies })).rejects.toThrow("killed");
    expect(await aside(spool)).toMatchObject([{ tries: 1, retry_asked_at: null, reason: /did not come to its end/ }]);
    expect(await retry()).toBe(0);
    expect(await equation(spool)).toEqual([{ accepted: 1, stored: 0, set_aside: 1 }]);
    await askRetry(db.sql, "all");
    expect(await retry()).toBe(1);
  });

  it("a call that Postgres refuses comes back with what it said, or stays with the reason", async () => {
    const spool = newSpool();
    const one = exchangeOf(spool, 1);
    await db.sql.unsafe(`alter table calls add constraint not_yet check (spool <> '${spool}')`);
    expect(await record([one])).toEqual({ stored: 0, setAside: 1 });
    await askRetry(db.sql, "all");
    expect(await retry()).toBe(0);
    expect(await aside(spool)).toMatchObject([{ tries: 1, reason: expect.stringContaining("not_yet") }]);
    await db.sql.unsafe("alter table calls drop constraint not_yet");
    await askRetry(db.sql, "all");
    expect(await retry()).toBe(1);
    expect(await db.sql`select 1 from payloads where call_id = ${one.id}`).toHaveLength(1);
    expect(await equation(spool)).toEqual([{ accepted: 1, stored: 1, set_aside: 0 }]);
  });

  it("what another host sealed is left for its recorder; after a minute it says which key is missing", async () => {
    const spool = newSpool();
    await record([exchangeOf(spool, 1, ["x-shape", "odd"])]);
    await askRetry(db.sql, "all");
    const key = randomBytes(32);
    expect(await retry({ key, isOurs: () => false })).toBe(0);
    expect(await aside(spool)).toMatchObject([{ tries: 0 }]);
    await db.sql`update set_aside set retry_asked_at = now() - interval '61 seconds' where spool = ${spool}`;
    await retry({ key, isOurs: () => false });
    expect(await aside(spool)).toMatchObject([
      { tries: 1, retry_asked_at: null, reason: expect.stringContaining(spool) },
    ]);
    await askRetry(db.sql, "all");
    expect(await retry()).toBe(1);
  });

  it("a call whose day is sealed meanwhile stays, and says why", async () => {
    const spool = newSpool();
    const one = exchangeOf(spool, 1, ["x-shape", "odd"]);
    await record([one]);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    await db.sql`insert into settings (name, value) values ('sealed', to_jsonb(${tomorrow}::text))`;
    await askRetry(db.sql, "all");
    expect(await retry()).toBe(0);
    await db.sql`delete from settings where name = 'sealed'`;
    expect(await aside(spool)).toMatchObject([{ tries: 1, reason: expect.stringContaining("no longer kept") }]);
    expect(await equation(spool)).toEqual([{ accepted: 1, stored: 0, set_aside: 1 }]);
    await askRetry(db.sql, "all");
    expect(await retry()).toBe(1);
  });

  it("keeps nothing of what was said where only facts are to be kept: the call is stored with the mark", async () => {
    const spool = newSpool();
    const odd = exchangeOf(spool, 1, ["x-shape", "odd"]);
    expect(await record([odd], {}, null)).toEqual({ stored: 1, setAside: 0 });
    expect(await db.sql`select problems, usage_source from calls where id = ${odd.id}`).toEqual([
      { problems: ["reader_failed"], usage_source: "none" },
    ]);
  });

  it("is listed newest first, with its size and without content, and one more where there are more", async () => {
    await db.sql`delete from set_aside`;
    const spool = newSpool();
    for (const seq of [1, 2, 3]) await record([exchangeOf(spool, seq, ["x-shape", "odd"])]);
    const rows = await setAsideRows(db.sql, 2);
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatchObject({ spool, tries: 0, triedAt: null, retryAskedAt: null });
    expect(rows[0]?.bytes).toBeGreaterThan(100);
    expect(Object.keys(rows[0] as object)).not.toContain("sealed");
    expect(rows.map(({ setAsideAt }) => setAsideAt.getTime())).toEqual(
      rows.map(({ setAsideAt }) => setAsideAt.getTime()).toSorted((a, b) => b - a),
    );
  });
});
