import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { open } from "#db/connect.ts";
import { LeaseLost, type RecordBatch, recordBatch, type SpoolPlace } from "#db/record-batch.ts";
import { leaseSpool, touchSpool } from "#db/spool-lease.ts";
import type { RecordedCall } from "#db/stored-calls.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { seeded } from "#tests/support/split.ts";

const newId = createUuid7();

describe.each([18, 15] as const)("several recorders on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase(major);
  });
  afterAll(() => db.drop());

  /** What clients of several workers have in common: a template's version, instructions, an answer that two of them read. */
  async function newCall(shared: { version: string; unit: string; response: string }): Promise<RecordedCall> {
    const headers = ["x-omnimeter-template", "greeting", "x-omnimeter-template-version", shared.version];
    const options = { projectId: "default", contentKey: null, knownInstructions: new Set<string>() };
    const { call } = await decodeExchange(chatExchange({ headers }), options);
    const changed = { ...call, unitHash: shared.unit, responseId: shared.response };
    return { call: changed, payload: null, words: Buffer.from("words") };
  }

  function recorderOf(spool: string, sql = db.sql) {
    let at: SpoolPlace = { segment: 0, offset: 0 };
    let accepted = 0;
    return async (calls: RecordedCall[]) => {
      accepted += calls.length;
      const next = { segment: 1, offset: at.offset + 1 };
      const batch: RecordBatch = {
        ...{ spool, lease: spool, from: at, low: next, high: next, run: "run", feedback: [] },
        runs: new Map([["run", { accepted, started: accepted, dropped: {}, atRisk: 0 }]]),
        calls: calls.map((one) => ({
          ...one,
          call: { ...one.call, origin: { ...one.call.origin, run: "run", spool } },
        })),
        sealForSetAside: () => Buffer.alloc(0),
      };
      await recordBatch(sql, batch);
      at = next;
    };
  }

  it("do not wait for each other's transactions because they know the same template", async () => {
    const shared = { version: "7", unit: "aa", response: "r-known" };
    const [first, second] = ["a", "b"].map((name) => `${name}-${newId()}`) as [string, string];
    for (const spool of [first, second]) await leaseSpool(db.sql, spool, spool, false);
    await recorderOf(first)([await newCall(shared)]);
    const impatient = open(`${db.url}?lock_timeout=500`, 1);
    try {
      await db.sql.begin(async (tx) => {
        // A batch of the one is under way: all of its statements have run, and it has not committed.
        await recordBatch(
          Object.assign(tx, { begin: undefined }) as never,
          await inside(first, await newCall({ ...shared, response: "r-2" })),
        );
        await recorderOf(second, impatient)([await newCall({ ...shared, response: "r-3" })]);
      });
    } finally {
      await impatient.end();
    }
    expect(await db.sql`select 1 from calls where spool = ${second}`).toHaveLength(1);

    async function inside(spool: string, one: RecordedCall): Promise<RecordBatch> {
      const next = { segment: 1, offset: 2 };
      return {
        ...{ spool, lease: spool, from: { segment: 1, offset: 1 }, low: next, high: next, run: "run", feedback: [] },
        ...{ runs: new Map(), calls: [{ ...one, call: { ...one.call, origin: { ...one.call.origin, spool } } }] },
        sealForSetAside: () => Buffer.alloc(0),
      };
    }
  });

  it("that meet the same new things in any order store everything once and never wait in a circle", async () => {
    const names = [1, 2, 3, 4].map(() => `spool-${newId()}`);
    await Promise.all(
      names.map(async (spool, seed) => {
        const random = seeded(seed);
        const some = (n: number) => Math.floor(random() * n);
        await leaseSpool(db.sql, spool, spool, false);
        const record = recorderOf(spool);
        for (let i = 0; i < 8; i++)
          await record(
            await Promise.all(
              Array.from({ length: 5 }, () =>
                newCall({ version: `${i}.${some(3)}`, unit: `u${i}${some(4)}`, response: `r${i}-${some(6)}` }),
              ),
            ),
          );
      }),
    );
    const [counts] = await db.sql`
      select (select count(*) from calls where spool = any(${names}))::int as calls,
        (select sum(calls) from rollup_calls where writer = any(${names}))::int as counted,
        (select sum(stored) from spool_runs where spool = any(${names}))::int as stored`;
    expect(counts).toEqual({ calls: 160, counted: 160, stored: 160 });
    const firsts = await db.sql`
      select 1 from changes ch where kind = 'template_version' and first_call_at <> (
        select min(started_at) from calls c where c.template = ch.subject and c.template_version = ch.value)`;
    expect(firsts).toHaveLength(0);
  });

  it("one that hung for longer than its lease stores nothing once another one has its spool", async () => {
    const spool = `spool-${newId()}`;
    const shared = { version: "1", unit: "bb", response: `r-${newId()}` };
    await leaseSpool(db.sql, spool, spool, false);
    const hung = recorderOf(spool);
    await hung([await newCall(shared)]);
    expect(await leaseSpool(db.sql, spool, "next", false)).toBeNull();
    await db.sql`update spool_positions set leased_until = now() - interval '1 second' where spool = ${spool}`;
    expect(await leaseSpool(db.sql, spool, "next", false)).toMatchObject({ high: { segment: 1, offset: 1 } });
    await expect(hung([await newCall(shared)])).rejects.toThrow(LeaseLost);
    expect(await touchSpool(db.sql, spool, spool)).toBe(false);
    expect(await db.sql`select 1 from calls where spool = ${spool}`).toHaveLength(1);
  });
});
