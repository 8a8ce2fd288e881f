import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureIndexes, ONLINE_INDEXES, type OnlineIndex } from "#db/online-indexes.ts";
import { ensurePartitions, partitionOf } from "#db/partitions.ts";
import { MAJORS } from "#tests/support/majors.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { seedSpent } from "#tests/support/seed-spent.ts";

const DAY_MS = 86_400_000;
const FAR_MS = Date.UTC(2030, 0, 15);
const ONE: OnlineIndex = {
  name: "calls_trial",
  table: "calls",
  columns: "customer, id desc",
  where: "customer is not null",
};

describe.each(MAJORS)("an index made online on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  beforeEach(async () => {
    db = await testDatabase(major);
  });
  afterEach(() => db?.drop());

  const soon = () => Date.now() + 60_000;
  const partitions = async () => {
    const [row] = await db.sql<{ n: number }[]>`
      select count(*)::int as n from pg_inherits where inhparent = 'calls'::regclass`;
    return row?.n ?? 0;
  };
  const isValid = async (name: string) => {
    const [row] = await db.sql<{ valid: boolean }[]>`
      select indisvalid as valid from pg_index where indexrelid = to_regclass(${name})`;
    return row?.valid ?? null;
  };

  it("is on every partition afterwards, once, and on those that come later", async () => {
    expect(await ensureIndexes(db.sql, soon(), [ONE])).toBe(await partitions());
    expect(await isValid("calls_trial")).toBe(true);
    expect(await ensureIndexes(db.sql, soon(), [ONE])).toBe(0);
    await ensurePartitions(db.sql, FAR_MS, FAR_MS);
    expect(await ensureIndexes(db.sql, soon(), [ONE])).toBe(0);
    const [row] = await db.sql<{ n: number }[]>`
      select count(*)::int as n from pg_inherits where inhparent = 'calls_trial'::regclass`;
    expect(row?.n).toBe(await partitions());
  });

  it("is made part by part, and goes on where time ran out", async () => {
    const all = await partitions();
    for (let done = 1; done <= all; done++) {
      expect(await isValid("calls_trial")).toBe(done === 1 ? null : false);
      expect(await ensureIndexes(db.sql, 0, [ONE])).toBe(1);
    }
    expect(await isValid("calls_trial")).toBe(true);
  });

  it("makes anew what a crash left unfinished, and attaches what it left whole", async () => {
    const [broken, whole] = [partitionOf("calls", Date.now()), partitionOf("calls", Date.now() + 7 * DAY_MS)];
    await seedSpent(db.sql, [
      { at: new Date(Date.now() - 1000).toISOString(), customer: "twice" },
      { at: new Date().toISOString(), customer: "twice" },
    ]);
    // A unique index over equal values fails half-way, as any would that is killed: its name stays, not valid.
    const unique = `create unique index concurrently ${broken}_trial on ${broken} (customer)`;
    await expect(db.sql.unsafe(unique)).rejects.toMatchObject({ code: "23505" });
    expect(await isValid(`${broken}_trial`)).toBe(false);
    await db.sql.unsafe(
      `create index concurrently ${whole}_trial on ${whole} (customer, id desc) where customer is not null`,
    );
    const [before] = await db.sql<{ oid: number }[]>`select to_regclass(${`${whole}_trial`})::oid::int as oid`;
    await ensureIndexes(db.sql, soon(), [ONE]);
    expect([await isValid(`${broken}_trial`), await isValid("calls_trial")]).toEqual([true, true]);
    expect(await db.sql`select to_regclass(${`${whole}_trial`})::oid::int as oid`).toEqual([before]);
    // Not the unique one.
    const [index] = await db.sql<{ unique: boolean }[]>`
      select indisunique as unique from pg_index where indexrelid = to_regclass(${`${broken}_trial`})`;
    expect(index?.unique).toBe(false);
  });

  it("does not wait long for writers, who go on", async () => {
    const { promise: held, resolve: hold } = Promise.withResolvers<void>();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const writer = db.sql.begin(async (tx) => {
      await tx`lock table calls in row exclusive mode`;
      hold();
      await mayEnd;
    });
    await held;
    try {
      await expect(ensureIndexes(db.sql, soon(), [ONE])).rejects.toMatchObject({ code: "55P03" });
    } finally {
      end();
      await writer;
    }
    expect(await ensureIndexes(db.sql, soon(), [ONE])).toBeGreaterThan(0);
  });
});

describe("the indexes of this version", () => {
  it("can be made and are named after their table", async () => {
    const db = await testDatabase();
    try {
      await ensureIndexes(db.sql, Date.now() + 60_000);
      for (const { name, table } of ONLINE_INDEXES) {
        expect(name.startsWith(`${table}_`)).toBe(true);
        const rows = await db.sql`select 1 from pg_index where indexrelid = to_regclass(${name}) and indisvalid`;
        expect([name, rows.length]).toEqual([name, 1]);
      }
    } finally {
      await db.drop();
    }
  });
});
