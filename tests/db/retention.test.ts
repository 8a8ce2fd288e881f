import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { closeMonth } from "#db/close-month.ts";
import { foldDays } from "#db/fold-days.ts";
import { foldRatings } from "#db/fold-ratings.ts";
import { matchFeedback } from "#db/match-feedback.ts";
import { partitionOf, partitionsBefore } from "#db/partitions.ts";
import { spendTotal } from "#db/queries/spend-source.ts";
import { rebuildDue, rebuildRollups } from "#db/rebuild-rollups.ts";
import { differences } from "#db/referee.ts";
import { retire } from "#db/retention.ts";
import { keptSince, sealedUntil } from "#db/sealed.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { MAJORS } from "#tests/support/majors.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { callAt, LINES, line, storedSpool } from "#tests/support/store-calls.ts";

const DAY_MS = 86_400_000;
/** A Thursday: the week before ended on Monday 2026-06-15. */
const NOW = Date.UTC(2026, 5, 18, 12);
const MONDAY = Date.UTC(2026, 5, 15);

describe.each(MAJORS)("retention on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  let record: Awaited<ReturnType<typeof storedSpool>>;
  beforeEach(async () => {
    await db?.drop();
    db = await testDatabase(major);
    record = await storedSpool(db.sql, "spool-old");
  });
  afterAll(() => db?.drop());

  /** As the recorder does it: what is to be sealed is summed before. */
  const forget = async (contentDays: number | null, factsDays: number | null, nowMs = NOW) => {
    await foldRatings(db.sql, nowMs);
    return retire(db.sql, { contentDays, factsDays }, nowMs);
  };
  const count = async (table: string) =>
    (await db.sql.unsafe(`select count(*)::int as n from ${table}`))[0]?.n as number;
  const spentUsd = async (fromMs: number, toMs: number) =>
    (await spendTotal(db.sql, { project: "default", interval: { fromMs, toMs }, filter: {} }, false))?.costUsd;
  const word = (over: object) => ({
    id: createUuid7(() => MONDAY - 20 * DAY_MS)(),
    target: { kind: "call" as const, id: "" },
    item: null,
    rater: "ann",
    receivedAtMs: MONDAY - 20 * DAY_MS,
    rating: "up" as const,
    score: null,
    comment: "well said",
    correction: null,
    labels: [],
    ...over,
  });

  it("forgets what was said day by day, and keeps every fact", async () => {
    const calls = await Promise.all([2.6, 2.4, 1].map((days) => callAt(NOW - days * DAY_MS)));
    await record(calls);
    // Two days before noon of the 18th: the 16th is kept, the 15th is over.
    const { dropped, waits } = await forget(2, null);
    expect(dropped).toContain(partitionOf("payloads", Date.UTC(2026, 5, 15)));
    expect(dropped).not.toContain(partitionOf("payloads", Date.UTC(2026, 5, 16)));
    expect(waits).toBeNull();
    const left = await db.sql`select call_id from payloads order by 1`;
    expect(left.map((row) => row.call_id)).toEqual([calls[1]?.id, calls[2]?.id].sort());
    expect(await count("calls")).toBe(3);
    expect(await forget(2, null)).toEqual({ dropped: [], waits: null });
    // What comes later than its content is kept has its facts stored, and no day is made for the rest.
    await record([await callAt(NOW - 2.6 * DAY_MS)]);
    expect([await count("calls"), await count("payloads")]).toEqual([4, 2]);
    expect((await keptSince(db.sql)).contentFromMs).toBe(Date.UTC(2026, 5, 16));
    expect(await sealedUntil(db.sql)).toBeNull();
  });

  it("forgets comments and instructions that are as old, and keeps how calls were rated", async () => {
    const old = await callAt(MONDAY - 20 * DAY_MS, { unitHash: "gone", template: null });
    const again = await callAt(MONDAY - 20 * DAY_MS + 1, { unitHash: "used", template: null });
    const now = await callAt(NOW - DAY_MS, { unitHash: "used", template: null });
    await record([old, again, now]);
    for (const { unitHash, id } of [old, again])
      await db.sql`insert into instructions values ('default', ${unitHash}, '\\x00', ${id})`;
    await record([], { feedback: [word({ target: { kind: "call", id: old.id } })] });
    const late = word({ id: createUuid7()(), target: { kind: "call", id: now.id }, rater: "bob" });
    await record([], { feedback: [{ ...late, receivedAtMs: NOW }] });
    await matchFeedback(db.sql, false);
    const rated = () => db.sql`select rating, has_comment from ratings order by call_id`;
    expect([...(await rated())]).toEqual([
      { rating: "up", has_comment: true },
      { rating: "up", has_comment: true },
    ]);
    await forget(7, null);
    expect([...(await db.sql`select rating, comment from feedback order by received_at`)]).toEqual([
      { rating: "up", comment: null },
      { rating: "up", comment: "well said" },
    ]);
    expect([...(await rated())]).toEqual([
      { rating: "up", has_comment: false },
      { rating: "up", has_comment: true },
    ]);
    expect([...(await db.sql`select unit_hash from instructions`)]).toEqual([{ unit_hash: "used" }]);
    // A spool that comes late brings no words either.
    await record([], { feedback: [word({ id: createUuid7()(), rater: "cyd" })] });
    const [cyd] = await db.sql`select rating, comment from feedback where rater = 'cyd'`;
    expect(cyd).toEqual({ rating: "up", comment: null });
  });

  it("seals whole weeks before their calls go, and their sums stay", async () => {
    const week = [MONDAY - 7 * DAY_MS, MONDAY - 1].map((ms) => callAt(ms));
    const before = await Promise.all([callAt(MONDAY - 8 * DAY_MS), ...week]);
    const kept = await callAt(MONDAY);
    await record([...before, kept]);
    await foldDays(db.sql, NOW);
    // 9 days before the 18th is the 9th: the week of the 8th is not old enough as a whole.
    expect((await forget(null, 9)).dropped.filter((name) => name.startsWith("calls"))).toContain("calls_p20260601");
    expect(await sealedUntil(db.sql)).toBe(MONDAY - 7 * DAY_MS);
    expect(await count("calls")).toBe(3);
    await forget(null, 3);
    expect(await sealedUntil(db.sql)).toBe(MONDAY);
    expect([...(await db.sql`select id from calls`)]).toEqual([{ id: kept.id }]);
    for (const table of ["usage_lines", "payloads", "provider_objects"])
      expect(await count(table), table).toBe(table === "usage_lines" ? 2 : 1);
    expect(await spentUsd(MONDAY - 14 * DAY_MS, MONDAY + 7 * DAY_MS)).toBe("0.014");
    expect((await db.sql`select sum(calls)::int as n from rollup_calls`)[0]).toEqual({ n: 4 });
    expect(await differences(db.sql, MONDAY - 14 * DAY_MS, MONDAY + 7 * DAY_MS)).toEqual([]);
    expect(await forget(null, 3)).toEqual({ dropped: [], waits: null });
  });

  it("a sealed day is not counted again, read again, or added to: late calls are counted as dropped", async () => {
    const old = await callAt(MONDAY - DAY_MS, { decoderVersion: 1 });
    const edge = await callAt(MONDAY);
    await record([old, edge]);
    await forget(null, 3);
    const spent = await spentUsd(MONDAY - 7 * DAY_MS, MONDAY);
    const reread = await callAt(MONDAY - DAY_MS, { id: old.id, decoderVersion: 2 }, [line({})]);
    const late = await callAt(MONDAY - 1);
    const fine = await callAt(MONDAY + 1);
    expect(await record([reread, late, fine])).toEqual({ stored: 1, setAside: 0 });
    const [run] = await db.sql`select stored, set_aside, dropped from spool_runs`;
    expect(run).toEqual({ stored: 3, set_aside: 0, dropped: { expired: 2 } });
    await record([await callAt(MONDAY - 2)], {
      runs: new Map([["run", { accepted: 9, started: 9, dropped: { disk_slow: 1 }, atRisk: 0 }]]),
    });
    expect((await db.sql`select dropped from spool_runs`)[0]).toEqual({ dropped: { disk_slow: 1, expired: 3 } });
    expect(await spentUsd(MONDAY - 7 * DAY_MS, MONDAY)).toBe(spent);
    expect(await count("calls")).toBe(2);
    await expect(rebuildRollups(db.sql, MONDAY - 1, MONDAY + DAY_MS)).rejects.toMatchObject({
      code: "day_sealed",
      message: expect.stringContaining("2026-06-14 cannot be counted again"),
    });
    await rebuildRollups(db.sql, MONDAY, MONDAY + DAY_MS);
    expect(await spentUsd(MONDAY, MONDAY + DAY_MS)).toBe("0.007");
  });

  it("a batch planned before the days were sealed is planned again", async () => {
    const call = await callAt(MONDAY - DAY_MS);
    await record([await callAt(MONDAY - 2 * DAY_MS)]);
    await foldRatings(db.sql, NOW);
    const unsafe = db.sql.unsafe.bind(db.sql);
    let sealed = false;
    // The batch is the first message that is sent as it is.
    const slow = new Proxy(db.sql, {
      get: (sql, name) =>
        name === "unsafe"
          ? async (text: string) => {
              if (!sealed && text.includes("spool_positions")) {
                sealed = true;
                await retire(sql, { contentDays: null, factsDays: 3 }, NOW);
              }
              return unsafe(text);
            }
          : Reflect.get(sql, name),
    });
    const recordSlowly = await storedSpool(slow, "spool-slow");
    expect(await recordSlowly([call])).toEqual({ stored: 0, setAside: 0 });
    expect((await db.sql`select dropped from spool_runs where spool = 'spool-slow'`)[0]).toEqual({
      dropped: { expired: 1 },
    });
    expect((await db.sql`select sum(calls)::int as n from rollup_calls`)[0]).toEqual({ n: 1 });
  });

  it("seals no day whose calls are not summed beside the ratings, so that rates keep what they are rates of", async () => {
    const old = await callAt(MONDAY - DAY_MS);
    await record([old, await callAt(MONDAY - 2 * DAY_MS), await callAt(MONDAY)]);
    const said = { target: { kind: "call", id: old.id }, correction: "better so", receivedAtMs: MONDAY + 1 };
    await record([], { feedback: [word(said)] });
    await matchFeedback(db.sql, false);
    const seal = () => retire(db.sql, { contentDays: null, factsDays: 3 }, NOW);
    expect((await seal()).waits).toContain("not summed yet");
    expect(await sealedUntil(db.sql)).toBeNull();
    await foldRatings(db.sql, NOW);
    // What comes then takes its day's sum away.
    await record([await callAt(MONDAY - DAY_MS)]);
    expect((await seal()).waits).toContain("not summed yet");
    await foldRatings(db.sql, NOW);
    expect(await seal()).toMatchObject({ waits: null });
    expect(await sealedUntil(db.sql)).toBe(MONDAY);
    const sealed = () => db.sql`
      select part, sum(calls)::int as calls, sum(corrections)::int as corrections
      from ratings_sums join ratings_folded f using (part) where f.day = '2026-06-14' and at::date = f.day group by 1 order by 1`;
    expect([...(await sealed())]).toEqual([
      { part: "calls", calls: 2, corrections: 0 },
      { part: "words", calls: 0, corrections: 1 },
    ]);
    // Its words are forgotten later: those are counted word by word again, and its calls are not.
    await retire(db.sql, { contentDays: 1, factsDays: null }, NOW);
    await foldRatings(db.sql, NOW);
    expect([...(await sealed())]).toEqual([{ part: "calls", calls: 2, corrections: 0 }]);
    expect([...(await db.sql`select rating, has_comment, has_correction from ratings`)]).toEqual([
      { rating: "up", has_comment: false, has_correction: false },
    ]);
  });

  it("waits for months to be closed where months are closed, and for what is booked in an open one", async () => {
    const may = Date.UTC(2026, 4, 20);
    const close = (month: string) => closeMonth(db.sql, { project: "default", month, by: null });
    await record([await callAt(Date.UTC(2026, 3, 8)), await callAt(may, { decoderVersion: 1 })]);
    await close("2026-04-01");
    const june = await forget(null, 1, Date.UTC(2026, 6, 31));
    expect(june.waits).toContain("close-month");
    // April is closed and its week goes; May is open.
    expect(await sealedUntil(db.sql)).toBe(Date.UTC(2026, 3, 13));
    await close("2026-05-01");
    const [{ id }] = (await db.sql`select id from calls`) as unknown as [{ id: string }];
    await record([await callAt(may, { id, decoderVersion: 2 }, [line({})])]);
    const late = await forget(null, 30, Date.UTC(2026, 6, 1));
    expect(late.waits).toContain("booked in a month that is still open");
    expect(await count("calls")).toBe(1);
    await close("2026-06-01");
    expect((await forget(null, 30, Date.UTC(2026, 6, 1))).waits).toBeNull();
    expect(await count("calls")).toBe(0);
    expect(await spentUsd(Date.UTC(2026, 3, 1), Date.UTC(2026, 6, 1))).toBe("0.006");
    const closed = closeMonth(db.sql, { project: "default", month: "2026-03-01", by: null });
    await expect(closed).rejects.toMatchObject({ code: "month_sealed" });
  });

  it("waits for rollups that are to be counted again, and they are counted, the newest day first", async () => {
    await record([await callAt(MONDAY - 2 * DAY_MS), await callAt(MONDAY - DAY_MS)]);
    const due = ["2026-06-13", "2026-06-14"];
    await db.sql`insert into rollups_due (day, reason) select unnest(${due}::date[]), 'new figures'`;
    await db.sql`update rollup_calls set operations = null`;
    expect((await forget(null, 3)).waits).toContain("wait to be counted again");
    expect(await sealedUntil(db.sql)).toBeNull();
    expect([await rebuildDue(db.sql), await rebuildDue(db.sql), await rebuildDue(db.sql)]).toEqual([
      "2026-06-14",
      "2026-06-13",
      null,
    ]);
    expect((await db.sql`select sum(operations)::int as n from rollup_calls`)[0]).toEqual({ n: 2 });
    expect((await forget(null, 3)).waits).toBeNull();
    // Asked for too late: nothing can count it, and nobody tries for ever.
    await db.sql`insert into rollups_due (day, reason) values ('2026-06-13', 'too late')`;
    expect([await rebuildDue(db.sql), await rebuildDue(db.sql)]).toEqual(["2026-06-13", null]);
    expect((await db.sql`select sum(calls)::int as n from rollup_calls`)[0]).toEqual({ n: 2 });
  });

  it("goes on where a crash stopped it, also when facts are to be kept for ever again", async () => {
    await record([await callAt(MONDAY - DAY_MS, {}, LINES), await callAt(MONDAY)]);
    await db.sql`insert into settings (name, value) values ('sealed', '"2026-06-15"')`;
    await db.sql.unsafe("alter table usage_lines detach partition usage_lines_p20260608");
    expect(await count("calls")).toBe(2);
    const { dropped } = await forget(null, null);
    expect(dropped).toEqual(expect.arrayContaining(["usage_lines_p20260608", "calls_p20260608"]));
    expect(await count("calls")).toBe(1);
    expect(await partitionsBefore(db.sql, "usage_lines", MONDAY)).toEqual([]);
    expect(await spentUsd(MONDAY - 7 * DAY_MS, MONDAY)).toBe("0.0035");
  });
});
