import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkMonth, closeMonth } from "#db/close-month.ts";
import { foldDays } from "#db/fold-days.ts";
import { addPrices, addTerm, bookVersion, readAdded } from "#db/price-book.ts";
import { recordPrices } from "#db/record-prices.ts";
import { differences } from "#db/referee.ts";
import {
  type BilledCall,
  type BilledPage,
  billedCalls,
  bookAdjustments,
  type RerateRange,
  unfinishedRerate,
} from "#db/rerate.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { createBookKeeper } from "#lib/recorder/book-keeper.ts";
import { rerateCalls } from "#lib/recorder/rerate-calls.ts";
import { newRerateReport } from "#lib/rerate-report.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { ownPrice, type RerateOptions, rerateRange as range, rerateIn } from "#tests/support/rerate.ts";
import { callAt, LINES, line, MODEL, storedSpool } from "#tests/support/store-calls.ts";

const OWN = "acme-voice";
const DAY_MS = 86_400_000;
const JANUARY = Date.UTC(2026, 0, 20, 12);
const MARCH = Date.UTC(2026, 2, 10, 12, 7);
const MARCH_RANGE = range("2026-03-01", "2026-04-01");

describe.each([18, 15] as const)("pricing a period again on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  let store: Awaited<ReturnType<typeof storedSpool>>;
  beforeAll(async () => {
    db = await testDatabase(major);
    store = await storedSpool(db.sql, "spool-rerate");
    await recordPrices(db.sql, PRICES);
  });
  afterAll(() => db.drop());

  const rerate = (of: RerateRange, options: RerateOptions = {}) => rerateIn(db, of, options);
  const linesOf = (id: string) => db.sql`
    select adjustment, direction, trim_scale(quantity)::text as quantity, price_id as price, trim_scale(cost_usd)::text as cost,
      booked_on::text as day
    from usage_lines where call_id = ${id} order by direction, adjustment`;
  const spent = async (from: string, to: string) =>
    (
      await db.sql.unsafe(`
        select trim_scale(coalesce(sum(cost_usd), 0))::text as cost, coalesce(sum(calls_unpriced), 0)::int as unpriced, sum(calls)::int as calls
        from rollup_spend where bucket >= '${from}' and bucket < '${to}'`)
    )[0];
  const isRight = async (from: string, to: string) =>
    expect(await differences(db.sql, Date.parse(from), Date.parse(to))).toEqual([]);

  it("an unpriced call gets its price, its rollups follow, and a second run changes nothing", async () => {
    const call = await callAt(MARCH, { model: OWN });
    const other = await callAt(MARCH + 1000);
    await store([call, other]);
    expect(await spent("2026-03-10", "2026-03-11")).toEqual({ cost: "0.0035", unpriced: 1, calls: 2 });
    await addPrices(db.sql, [ownPrice(OWN, "2", "input"), ownPrice(OWN, "8", "output")]);
    // A price that was added later does not change what is stored.
    expect(await spent("2026-03-10", "2026-03-11")).toEqual({ cost: "0.0035", unpriced: 1, calls: 2 });

    const dry = await rerate(MARCH_RANGE, { dryRun: true });
    expect(dry.report).toMatchObject({ calls: 1, lines: 2, beforeUsd: null, afterUsd: "0.0028", unpricedBefore: 2 });
    expect(await linesOf(call.id)).toHaveLength(2);
    expect(await db.sql`select from rerates`).toHaveLength(0);

    const { report, looked } = await rerate(MARCH_RANGE);
    expect(report).toEqual(dry.report);
    expect(looked).toEqual({ calls: 2, closedCalls: 0, closedDiffer: 0 });
    // 1,000 × 2 and 100 × 8 per million.
    const price = (direction: string) => `own:${OWN}/${direction}/text/none/standard/token@2026-01-01`;
    expect(await linesOf(call.id)).toEqual([
      { adjustment: 0, direction: "input", quantity: "1000", price: null, cost: null, day: "2026-03-10" },
      { adjustment: 1, direction: "input", quantity: "-1000", price: null, cost: null, day: "2026-03-10" },
      { adjustment: 2, direction: "input", quantity: "1000", price: price("input"), cost: "0.002", day: "2026-03-10" },
      { adjustment: 0, direction: "output", quantity: "100", price: null, cost: null, day: "2026-03-10" },
      { adjustment: 1, direction: "output", quantity: "-100", price: null, cost: null, day: "2026-03-10" },
      {
        adjustment: 2,
        direction: "output",
        quantity: "100",
        price: price("output"),
        cost: "0.0008",
        day: "2026-03-10",
      },
    ]);
    expect(await spent("2026-03-10", "2026-03-11")).toEqual({ cost: "0.0063", unpriced: 0, calls: 2 });
    expect(await linesOf(other.id)).toHaveLength(2);
    const [kept] = await db.sql`
      select from_day::text as from, to_day::text as to, calls, lines_changed as lines, cost_before_usd as before,
        cost_after_usd as after, finished_at is not null as finished, report->'models' as models
      from rerates`;
    expect(kept).toMatchObject({
      from: "2026-03-01",
      to: "2026-03-31",
      calls: 1,
      lines: 2,
      before: null,
      finished: true,
    });
    expect(kept?.models).toEqual({
      [OWN]: { lines: 2, beforeUsd: null, afterUsd: "0.0028", unpricedBefore: 2, unpricedAfter: 0 },
    });
    await isRight("2026-03-10", "2026-03-11");

    const again = await rerate(MARCH_RANGE);
    expect(again.report.lines).toBe(0);
    expect(await linesOf(call.id)).toHaveLength(6);
    expect(await db.sql`select from rerates`).toHaveLength(1);
  });

  it("a discount is the list price times its factor, and ends where another begins", async () => {
    const day = Date.UTC(2026, 3, 10, 9);
    const calls = [await callAt(day), await callAt(day + DAY_MS)];
    await store(calls);
    const [first, second] = [createUuid7()(), createUuid7()()];
    const term = { models: "gpt-4o*", upstream: null, note: "" };
    await addTerm(db.sql, "default", first, { ...term, factor: "0.9", effectiveFrom: "2026-04-01" });
    await addTerm(db.sql, "default", second, { ...term, factor: "1", effectiveFrom: "2026-04-11" });
    const of = range("2026-04-01", "2026-05-01", "gpt-4o*");
    expect((await rerate(of)).report).toMatchObject({
      of: "gpt-4o*",
      calls: 2,
      lines: 4,
      beforeUsd: "0.007",
      // 0.0035 × 0.9, and as before.
      afterUsd: "0.00665",
    });
    const inForce = await db.sql`
      select price_id as id, trim_scale(price_usd)::text as usd, trim_scale(cost_usd)::text as cost from usage_lines
      where call_id = any(${calls.map(({ id }) => id)}::uuid[]) and adjustment = 2 order by call_id, direction`;
    const row = (direction: string, from: string) => `${MODEL}/${direction}/text/none/standard/token@${from}`;
    expect(inForce).toEqual([
      { id: `${row("input", "2024-08-06")}#${first}`, usd: "2.25", cost: "0.00225" },
      { id: `${row("output", "2024-08-06")}#${first}`, usd: "9", cost: "0.0009" },
      { id: `${row("input", "2024-08-06")}#${second}`, usd: "2.5", cost: "0.0025" },
      { id: `${row("output", "2024-08-06")}#${second}`, usd: "10", cost: "0.001" },
    ]);
    expect((await rerate(of)).report.lines).toBe(0);
    await isRight("2026-04-10", "2026-04-12");
  });

  it("a closed month stays as it was closed, also what was booked late for it", async () => {
    const [inJanuary, late] = [
      await callAt(JANUARY, { model: "acme-late" }),
      await callAt(JANUARY + 5, { model: "acme-late" }),
    ];
    await store([inJanuary]);
    await closeMonth(db.sql, { project: "default", month: "2026-01-01", by: null, anyway: true });
    await store([late]);
    await addPrices(db.sql, [ownPrice("acme-late", "2", "input"), ownPrice("acme-late", "8", "output")]);
    const { report, looked } = await rerate(range("2026-01-01", "2026-02-01"));
    expect(looked).toEqual({ calls: 2, closedCalls: 1, closedDiffer: 1 });
    expect(report).toMatchObject({ calls: 1, lines: 2, afterUsd: "0.0028" });
    expect(await linesOf(inJanuary.id)).toHaveLength(2);
    // It is counted in February, and so is what it costs.
    expect((await linesOf(late.id)).map(({ day }) => day)).toEqual(Array.from({ length: 6 }, () => "2026-02-01"));
    expect(await spent("2026-02-01", "2026-02-02")).toEqual({ cost: "0.0028", unpriced: 0, calls: 1 });
    await checkMonth(db.sql, "default", "2026-01-01");
    await isRight("2026-01-20", "2026-01-21");
    await isRight("2026-02-01", "2026-02-02");
  });

  it("what was folded is folded again with the new price", async () => {
    const day = Date.UTC(2026, 4, 5, 3);
    await store([await callAt(day, { model: "acme-folded" })]);
    await foldDays(db.sql, Date.UTC(2026, 4, 8));
    await addPrices(db.sql, [ownPrice("acme-folded", "2", "input"), ownPrice("acme-folded", "8", "output")]);
    await rerate(range("2026-05-05", "2026-05-06"));
    await foldDays(db.sql, Date.UTC(2026, 4, 8));
    const [folded] = await db.sql`
      select trim_scale(cost_usd)::text as cost, calls_unpriced::int as unpriced from rollup_spend_days where day = '2026-05-05'`;
    expect(folded).toEqual({ cost: "0.0028", unpriced: 0 });
    await isRight("2026-05-05", "2026-05-06");
  });

  it("goes on after a stop, page by page, and a call that changes meanwhile is read again", async () => {
    const at = Date.UTC(2026, 5, 1, 1);
    const calls = await Promise.all([0, 1, 2, 3, 4].map((i) => callAt(at + i, { model: "acme-pages" })));
    await store(calls);
    await addPrices(db.sql, [ownPrice("acme-pages", "2", "input"), ownPrice("acme-pages", "8", "output")]);
    const of = range("2026-06-01", "2026-06-02");
    let pages = 0;
    const stopping = rerate(of, { page: 2, between: async () => void pages++ });
    expect((await stopping).report).toMatchObject({ calls: 5, lines: 10, afterUsd: "0.014" });
    expect(pages).toBe(1);

    // Another price, a stop after the first page, and a call that a newer decoder reads anew before the rest.
    await addPrices(db.sql, [ownPrice("acme-pages", "4", "input", "2026-05-01")]);
    const keeper = createBookKeeper({ version: () => bookVersion(db.sql), read: () => readAdded(db.sql) });
    await keeper.first();
    const id = createUuid7()();
    const failing = rerateCalls<BilledCall, BilledPage>(
      {
        next: async (after) => {
          if (after !== null) throw new Error("stopped");
          return billedCalls(db.sql, of, after, 2);
        },
        book: (now, page, adjusted) => bookAdjustments(db.sql, { id, range: of, report: now }, page, adjusted),
        lagSeconds: async () => 0,
      },
      keeper.book(),
      newRerateReport(null),
      { dryRun: false },
    );
    await expect(failing).rejects.toThrow("stopped");
    expect(await unfinishedRerate(db.sql, of)).toMatchObject({ id, report: { calls: 2, lines: 2 } });
    const changed = calls[3] as (typeof calls)[number];
    const { report, looked } = await rerate(of, {
      between: async () => {
        const lines = [line({ quantity: 5000 }), ...LINES.slice(1)];
        const usage = { ...changed.usage, inputTokens: 5000 };
        await store([
          { ...(await callAt(at, { ...changed, usage }, lines)), decoderVersion: changed.decoderVersion + 1 },
        ]);
      },
    });
    expect(looked.calls).toBe(5);
    // 1,000 × 2 → 1,000 × 4 four times; and the changed one, unpriced as it was stored: 5,000 × 4 and 100 × 8.
    expect(report).toMatchObject({ calls: 5, lines: 6, beforeUsd: "0.008", afterUsd: "0.0368", unpricedBefore: 2 });
    expect(await spent("2026-06-01", "2026-06-02")).toEqual({ cost: "0.04", unpriced: 0, calls: 5 });
    expect(await unfinishedRerate(db.sql, of)).toBeNull();
    await isRight("2026-06-01", "2026-06-02");
  });

  it("sealed days are refused", async () => {
    await db.sql`insert into settings (name, value) values ('sealed', '"2025-06-01"'::jsonb)`;
    await expect(rerate(range("2025-05-31", "2025-07-01"))).rejects.toMatchObject({
      code: "day_sealed",
      message: expect.stringContaining("Begin at 2025-06-01"),
    });
    expect((await rerate(range("2025-06-01", "2025-07-01"))).looked.calls).toBe(0);
  });
});
