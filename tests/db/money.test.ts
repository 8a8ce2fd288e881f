import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkMonth, closeMonth } from "#db/close-month.ts";
import { foldDays, mayBeFolded } from "#db/fold-days.ts";
import { amongIds } from "#db/of-calls.ts";
import type { CallFilter } from "#db/queries/call-filter.ts";
import { spendTotal } from "#db/queries/spend-source.ts";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { recordBatch } from "#db/record-batch.ts";
import { differences } from "#db/referee.ts";
import { bookedByCalls, SPEND_MEASURES, spendParts } from "#db/rollup-spend.ts";
import { leaseSpool, touchSpool } from "#db/spool-lease.ts";
import type { Call } from "#lib/call.ts";
import { addMoney } from "#lib/money.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { line, MODEL, callAt as pricedCallAt } from "#tests/support/store-calls.ts";

const DAY_MS = 86_400_000;

/** 1,000 input, 200 cached and 100 output tokens: 0.0025 + 0.00025 + 0.001 = 0.00375 USD on gpt-4o-2024-08-06. */
const LINES = [line({}), line({ cache: "read", quantity: 200 }), line({ direction: "output", quantity: 100 })];

const callAt = (ms: number, over: Partial<Call> = {}, lines = LINES): Promise<Call> => pricedCallAt(ms, over, lines);

describe.each([18, 15] as const)("money on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  let offset = 0;
  const spool = "spool-money";
  beforeAll(async () => {
    db = await testDatabase(major);
    await leaseSpool(db.sql, spool, "me", false);
  });
  afterAll(() => db.drop());

  async function record(...calls: Call[]) {
    await touchSpool(db.sql, spool, "me");
    const from = { segment: offset && 1, offset };
    offset += 100;
    const high = { segment: 1, offset };
    await recordBatch(db.sql, {
      spool,
      lease: "me",
      from,
      low: high,
      high,
      run: "run",
      runs: new Map([["run", { accepted: calls.length, started: calls.length, dropped: {}, atRisk: 0 }]]),
      calls: calls.map((call) => ({
        call: { ...call, origin: { ...call.origin, spool } },
        payload: null,
        words: null,
      })),
      feedback: [],
      sealForSetAside: () => Buffer.alloc(0),
    });
  }
  const sums = SPEND_MEASURES.map((name) => `trim_scale(sum(${name}))::text as ${name}`).join(", ");
  const spent = async (from: string, to: string) =>
    (
      await db.sql.unsafe(`select ${sums} from rollup_spend where bucket >= '${from}' and bucket < '${to}'`)
    )[0] as Record<string, string>;

  it("a call's lines stand in the rollup by modality and kind, to the last digit", async () => {
    const at = Date.UTC(2026, 0, 10, 12, 7);
    await record(await callAt(at));
    const [row] = await db.sql`select * from rollup_spend where bucket = '2026-01-10T12:00:00Z'`;
    expect(row).toMatchObject({
      calls: 1,
      calls_unpriced: 0,
      model: MODEL,
      text_input: 1000,
      text_cached: 200,
      text_output: 100,
      audio_input: 0,
      cost_usd: "0.00375",
      cost_estimated_usd: "0",
      text_input_usd: "0.0025",
      text_cached_usd: "0.00025",
      text_output_usd: "0.001",
      saved_usd: "0.00025",
    });
  });

  it("what is no token is money in the cell of its modality, and fees stand apart: cells and fees are what was spent", async () => {
    const at = Date.UTC(2026, 0, 14, 12);
    const search = line({
      direction: "tool",
      modality: "none",
      unit: "web_search_call",
      product: "tool:web_search",
      quantity: 2,
    });
    const seconds = line({ modality: "audio", unit: "second", quantity: 30 });
    await record(
      await callAt(at, {}, [...LINES, search]),
      // 30 s × 0.006 / 60 s.
      await callAt(at + 1, { model: "whisper-1" }, [seconds]),
    );
    const row = await spent("2026-01-14", "2026-01-15");
    // Two searches × 10 / 1,000.
    expect(row).toMatchObject({ fees_usd: "0.02", audio_input_usd: "0.003", audio_input: "0", cost_usd: "0.02675" });
    const cells = SPEND_MEASURES.filter((name) => /_(input|cached|output)_usd$/.test(name));
    const sum = [...cells, "fees_usd"].reduce((total, name) => addMoney(total, String(row[name])), "0");
    expect(sum).toBe(row.cost_usd);
    await foldDays(db.sql, at + 3 * DAY_MS);
    for (const table of ["rollup_spend_days", "rollup_spend_upto"]) {
      const [folded] = await db.sql.unsafe(
        `select trim_scale(max(fees_usd))::text as fees from ${table} where day = '2026-01-14'`,
      );
      expect(folded).toEqual({ fees: "0.02" });
    }
    expect(await differences(db.sql, at, at + 1)).toEqual([]);
  });

  it("a model that the price book does not know is unpriced, and costs nothing that is called zero", async () => {
    const at = Date.UTC(2026, 0, 11);
    await record(await callAt(at, { model: "gpt-9-unheard-of" }), await callAt(at + 1));
    const [line] =
      await db.sql`select cost_usd, price_id from usage_lines where call_id in (select id from calls where model = 'gpt-9-unheard-of')`;
    expect(line).toMatchObject({ cost_usd: null, price_id: null });
    expect(await spent("2026-01-11", "2026-01-12")).toMatchObject({
      calls: "2",
      calls_unpriced: "1",
      cost_usd: "0.00375",
    });
  });

  it("estimated money stands apart", async () => {
    const estimated = LINES.map((one) => ({ ...one, source: "estimated" as const }));
    await record(await callAt(Date.UTC(2026, 0, 12), {}, estimated));
    expect(await spent("2026-01-12", "2026-01-13")).toMatchObject({
      cost_usd: "0",
      cost_estimated_usd: "0.00375",
      tokens_estimated: "1300",
    });
  });

  it("a call that is read again under another name leaves nothing under its old one", async () => {
    const at = Date.UTC(2026, 0, 15);
    const old = await callAt(at, { decoderVersion: 1, feature: "old-name" });
    await record(old);
    await record(await callAt(at, { id: old.id, decoderVersion: 2, feature: "new-name" }));
    const rows = await db.sql`
      select feature, calls, cost_usd from rollup_spend where bucket >= '2026-01-15' and bucket < '2026-01-16'`;
    expect([...rows]).toEqual([{ feature: "new-name", calls: 1, cost_usd: "0.00375" }]);
    const counted = await db.sql`
      select feature, calls from rollup_calls where bucket >= '2026-01-15' and bucket < '2026-01-16'`;
    expect([...counted]).toEqual([{ feature: "new-name", calls: 1 }]);
  });

  it("nor does one that was booked late", async () => {
    const at = Date.UTC(2024, 2, 20);
    await db.sql`insert into closed_periods (project_id, month) values ('default', '2024-03-01')`;
    const late = await callAt(at, { decoderVersion: 1, feature: "old-name" });
    await record(late);
    await record(await callAt(at, { id: late.id, decoderVersion: 2, feature: "new-name" }));
    const rows = await db.sql`select feature, calls from rollup_spend where bucket < '2025-01-01'`;
    expect([...rows]).toEqual([{ feature: "new-name", calls: 1 }]);
  });

  it("a closed month does not change: late calls and late knowledge are booked into the next", async () => {
    const march = Date.UTC(2026, 2, 20, 10);
    const early = await callAt(march, { decoderVersion: 1 });
    const unknown = await callAt(march + 1, { decoderVersion: 1, model: "gpt-later-priced" });
    await record(early, unknown);
    const report = await closeMonth(db.sql, { project: "default", month: "2026-03-01", by: "A. Ito" });
    expect(report).toMatchObject({ lines: 6, calls: 2, callsUnpriced: 1, costUsd: "0.00375", costEstimatedUsd: "0" });
    const march1 = await spent("2026-03-01", "2026-04-01");

    // A call that comes late, one that is read again with another quantity, and one whose price has become known.
    await record(await callAt(march + DAY_MS));
    const reread = await callAt(march, { id: early.id, decoderVersion: 2 }, [
      line({ quantity: 400 }),
      ...LINES.slice(1),
    ]);
    const priced = await callAt(march + 1, { id: unknown.id, decoderVersion: 2 });
    await record(reread, priced);

    expect(await checkMonth(db.sql, "default", "2026-03-01")).toEqual(report);
    expect(await spent("2026-03-01", "2026-04-01")).toEqual(march1);
    // 0.00375 late + (0.001 - 0.0025) read again + 0.00375 priced; the unpriced mark of March is taken back.
    expect(await spent("2026-04-01", "2026-05-01")).toMatchObject({
      calls: "1",
      cost_usd: "0.006",
      calls_unpriced: "-1",
      text_input: "400",
    });
    const [sum] =
      await db.sql`select trim_scale(sum(cost_usd))::text as cost from usage_lines where call_id in (${early.id}, ${unknown.id})`;
    expect(sum).toEqual({ cost: "0.006" });

    // The same knowledge again adds nothing.
    await record({ ...reread, decoderVersion: 3 });
    expect(await spent("2026-04-01", "2026-05-01")).toMatchObject({ cost_usd: "0.006" });

    const april = await spent("2026-04-01", "2026-05-01");
    await rebuildRollups(db.sql, march, march + 2 * DAY_MS);
    await rebuildRollups(db.sql, Date.UTC(2026, 2, 31), Date.UTC(2026, 3, 3));
    expect(await spent("2026-03-01", "2026-04-01")).toEqual(march1);
    expect(await spent("2026-04-01", "2026-05-01")).toEqual(april);
  });

  it("after a close, a kind of token that was not known before and an unpriced call that grew are counted once", async () => {
    const january = Date.UTC(2025, 0, 20, 10);
    const grows = await callAt(january, { decoderVersion: 1 }, [line({})]);
    const unknown = await callAt(january + 1, { decoderVersion: 1, model: "gpt-never-priced" });
    await record(grows, unknown);
    await closeMonth(db.sql, { project: "default", month: "2025-01-01", by: null });
    await record(
      await callAt(january, { id: grows.id, decoderVersion: 2 }),
      await callAt(january + 1, { id: unknown.id, decoderVersion: 2, model: "gpt-never-priced" }, [
        line({ quantity: 5000 }),
      ]),
    );
    const both = { fromMs: Date.UTC(2025, 0, 1), toMs: Date.UTC(2025, 2, 1) };
    const scope = { project: "default", interval: both, filter: {} };
    const expected = { costUsd: "0.00375", costEstimatedUsd: "0", callsUnpriced: 1 };
    expect(await spendTotal(db.sql, scope, false)).toEqual(expected);
    // No rollup knows outcomes: the same from the calls themselves.
    expect(await spendTotal(db.sql, { ...scope, filter: { outcome: ["completed"] } }, true)).toEqual(expected);
  });

  it("after a close, money keeps its names, and a call's marks are corrected in an open month", async () => {
    const at = Date.UTC(2025, 4, 20, 10);
    const old = await callAt(
      at,
      { decoderVersion: 1, feature: "old-name", outcome: "failed", problems: ["usage_inconsistent"] },
      [],
    );
    await record(old);
    const report = await closeMonth(db.sql, { project: "default", month: "2025-05-01", by: null });
    const known = { id: old.id, feature: "new-name", outcome: "completed", problems: [] } as const;
    await record(await callAt(at, { ...known, problems: [], decoderVersion: 2 }));
    expect(await checkMonth(db.sql, "default", "2025-05-01")).toEqual(report);
    const parts = (from: string, to: string) => db.sql`
      select feature, sum(calls)::int as calls, sum(calls_failed)::int as failed, sum(calls_unpriced)::int as unpriced, sum(cost_usd)::text as cost
      from rollup_spend where bucket >= ${from}::timestamptz and bucket < ${to}::timestamptz group by 1`;
    const may = [{ feature: "old-name", calls: 1, failed: 1, unpriced: 1, cost: "0" }];
    const june = [{ feature: "old-name", calls: 0, failed: -1, unpriced: -1, cost: "0.00375" }];
    expect([...(await parts("2025-05-01", "2025-06-01"))]).toEqual(may);
    expect([...(await parts("2025-06-01", "2025-07-01"))]).toEqual(june);

    // The same from calls, where no rollup helps; a third reading; and a rebuild.
    const scope = {
      project: "default",
      interval: { fromMs: Date.UTC(2025, 4, 1), toMs: Date.UTC(2025, 6, 1) },
      filter: { feature: ["old-name"], outcome: ["completed"] },
    } as const;
    expect(await spendTotal(db.sql, scope, true)).toEqual({
      costUsd: "0.00375",
      costEstimatedUsd: "0",
      callsUnpriced: 0,
    });
    await record(
      await callAt(at, { ...known, problems: [], outcome: "failed", feature: "third-name", decoderVersion: 3 }),
    );
    const again = [{ ...june[0], failed: 0 }];
    expect([...(await parts("2025-06-01", "2025-07-01"))]).toEqual(again);
    await rebuildRollups(db.sql, at, at + DAY_MS);
    await rebuildRollups(db.sql, Date.UTC(2025, 5, 1), Date.UTC(2025, 5, 2));
    expect([...(await parts("2025-05-01", "2025-06-01"))]).toEqual(may);
    expect([...(await parts("2025-06-01", "2025-07-01"))]).toEqual(again);
    expect(await checkMonth(db.sql, "default", "2025-05-01")).toEqual(report);
  });

  it("after a close, a call of no model stays one in money, whatever is known of it later", async () => {
    const at = Date.UTC(2024, 5, 20, 10);
    const nameless = { model: null, requestModel: null };
    const old = await callAt(at, { decoderVersion: 1, ...nameless });
    await record(old);
    await closeMonth(db.sql, { project: "default", month: "2024-06-01", by: null });
    const asked = { id: old.id, model: null, requestModel: MODEL };
    await record(await callAt(at, { ...asked, decoderVersion: 2 }, [line({ quantity: 400 })]));
    const rows = await db.sql`
      select model, sum(calls)::int as calls, sum(text_input)::int as input
      from rollup_spend where bucket >= '2024-06-01' and bucket < '2024-08-01' group by 1`;
    expect([...rows]).toEqual([{ model: "", calls: 1, input: 400 }]);
    const interval = { fromMs: Date.UTC(2024, 5, 1), toMs: Date.UTC(2024, 6, 1) };
    const inJune = (filter: CallFilter) => spendTotal(db.sql, { project: "default", interval, filter }, true);
    // No rollup knows outcomes: from the calls themselves.
    const june = await inJune({ model: [""] });
    expect(june).toMatchObject({ callsUnpriced: 1 });
    expect(await inJune({ model: [""], outcome: ["completed"] })).toEqual(june);
    expect(await inJune({ model: [MODEL], outcome: ["completed"] })).toMatchObject({ callsUnpriced: 0 });
  });

  it("what was read again after a close is found by its key, however much that is", async () => {
    const parts = spendParts(bookedByCalls(amongIds([createUuid7()(), createUuid7()()]), true));
    const plan = await db.sql.begin(async (tx) => {
      await tx`set local enable_seqscan = off`;
      return tx.unsafe(`explain ${parts}`);
    });
    const lines = plan.map((row) => String(row["QUERY PLAN"]));
    expect(lines.filter((text) => /Index Cond.*id >=/.test(text)).length).toBeGreaterThan(3);
    expect(lines.filter((text) => /Filter.*id >=|Seq Scan on (calls|usage_lines)/.test(text))).toEqual([]);
  });

  it("a call that is read again, the first of a closed month, while its day is rebuilt is not counted twice", async () => {
    const at = Date.UTC(2024, 8, 20, 10);
    const old = await callAt(at, { decoderVersion: 1, feature: "old-name" });
    await record(old);
    await closeMonth(db.sql, { project: "default", month: "2024-09-01", by: null });
    await db.sql`delete from booked_as`;
    const reread = await callAt(at, { id: old.id, decoderVersion: 2, feature: "new-name" }, [line({ quantity: 400 })]);
    const october = Date.UTC(2024, 9, 1);
    // Whatever a rebuild asks before its one message may have changed by then.
    const slow = new Proxy(db.sql, {
      get: (sql, name) =>
        name === "unsafe"
          ? async (text: string) => {
              await record(reread);
              return sql.unsafe(text);
            }
          : Reflect.get(sql, name),
    });
    await rebuildRollups(slow, october, october + DAY_MS);
    const rows = await db.sql`
      select feature, text_input from rollup_spend where bucket >= '2024-10-01' and bucket < '2024-11-01'`;
    expect([...rows]).toEqual([{ feature: "old-name", text_input: -600 }]);
  });

  it("whoever stores takes a day for folded before anybody folds it", async () => {
    const at = Date.UTC(2024, 10, 4, 9);
    const endMs = Date.UTC(2024, 10, 5);
    await record(await callAt(at));
    const isFolded = async () => (await db.sql`select from folded_days where day = '2024-11-04'`).length > 0;
    let foldsMs = endMs;
    for (; !(await isFolded()); foldsMs += 600_000) await foldDays(db.sql, foldsMs);
    expect(mayBeFolded("2024-11-04", foldsMs - 3_600_000)).toBe(true);
    expect(mayBeFolded("2024-11-04", endMs)).toBe(false);
  });

  it("a folded day that something is stored for is read by quarters of an hour until it is folded again", async () => {
    const at = Date.UTC(2025, 7, 4, 9);
    const interval = { fromMs: Date.UTC(2025, 7, 4), toMs: Date.UTC(2025, 7, 5) };
    const total = async () => (await spendTotal(db.sql, { project: "default", interval, filter: {} }, false))?.costUsd;
    const isFolded = async () =>
      (await db.sql`select from folded_days where day = '2025-08-04' and rollup = 'spend_sets'`).length === 1;
    const first = await callAt(at, { decoderVersion: 1 });
    await record(first);
    await foldDays(db.sql, Date.now());
    expect([await isFolded(), await total()]).toEqual([true, "0.00375"]);
    await record(await callAt(at + 1));
    expect([await isFolded(), await total()]).toEqual([false, "0.0075"]);
    await foldDays(db.sql, Date.now());
    expect([await isFolded(), await total()]).toEqual([true, "0.0075"]);
    await record(await callAt(at, { id: first.id, decoderVersion: 2 }, [line({})]));
    expect([await isFolded(), await total()]).toEqual([false, "0.00625"]);
    await foldDays(db.sql, Date.now());
    await rebuildRollups(db.sql, interval.fromMs, interval.toMs);
    expect([await isFolded(), await total()]).toEqual([false, "0.00625"]);
    expect(await foldDays(db.sql, interval.toMs)).toBe(0);
  });

  it("a day that an earlier version marked as folded is read by quarters, and folded by this one", async () => {
    const interval = { fromMs: Date.UTC(2025, 8, 1), toMs: Date.UTC(2025, 8, 2) };
    await record(await callAt(interval.fromMs + 1));
    await db.sql`insert into folded_days (project_id, rollup, day) values ('default', 'spend', '2025-09-01')`;
    const total = async () => (await spendTotal(db.sql, { project: "default", interval, filter: {} }, false))?.costUsd;
    expect(await total()).toBe("0.00375");
    await foldDays(db.sql, Date.now());
    const marks = await db.sql`select rollup from folded_days where day = '2025-09-01' order by 1`;
    expect(marks.map(({ rollup }) => rollup)).toEqual(["attributed", "latency", "spend", "spend_sets"]);
    expect(await total()).toBe("0.00375");
  });

  it("refuses to close what is not over, closed already, or not stored yet; and says when a month was tampered with", async () => {
    const close = (month: string) => closeMonth(db.sql, { project: "default", month, by: null });
    await expect(close("2999-01-01")).rejects.toMatchObject({ code: "month_not_over" });
    await expect(close("2026-03-01")).rejects.toMatchObject({ code: "month_closed" });
    await expect(checkMonth(db.sql, "default", "2024-01-01")).rejects.toMatchObject({ code: "month_open" });
    await db.sql`update usage_lines set cost_usd = cost_usd + 1 where booked_on = '2026-03-20'`;
    await expect(checkMonth(db.sql, "default", "2026-03-01")).rejects.toMatchObject({ code: "month_changed" });
    await db.sql`update usage_lines set cost_usd = cost_usd - 1 where booked_on = '2026-03-20'`;
    await db.sql`update spool_positions set updated_at = now() - interval '2 hours'`;
    const month = new Date(Date.now() - 3_600_000).toISOString().slice(0, 7);
    await expect(close(`${month}-01`)).rejects.toMatchObject({ code: "month_not_over" });
  });

  it("a batch planned before a month was closed is planned again", async () => {
    const call = await callAt(Date.UTC(2025, 11, 5));
    await db.sql`insert into closed_periods (project_id, month) values ('default', '2025-12-01')`;
    await record(call);
    const [booked] = await db.sql`select booked_on::text from calls where id = ${call.id}`;
    expect(booked).toEqual({ booked_on: "2026-01-01" });
  });

  it("notes the first call of a template's version and of a snapshot behind an alias", async () => {
    const at = Date.UTC(2026, 5, 1);
    const one = await callAt(at + 5000, { template: "t", templateVersion: "2", requestModel: "an-alias" });
    const earlier = await callAt(at, { template: "t", templateVersion: "2", requestModel: "an-alias" });
    await record(one);
    await record(earlier);
    const changes = await db.sql`
      select kind, subject, value, first_call_id from changes where subject in ('t', 'an-alias') order by kind`;
    expect([...changes]).toEqual([
      { kind: "snapshot", subject: "an-alias", value: MODEL, first_call_id: earlier.id },
      { kind: "template_version", subject: "t", value: "2", first_call_id: earlier.id },
    ]);
  });
});
