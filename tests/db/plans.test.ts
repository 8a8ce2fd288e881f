import type { Sql, TransactionSql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foldDays } from "#db/fold-days.ts";
import { ensureIndexes } from "#db/online-indexes.ts";
import { newestIds } from "#db/queries/calls-page.ts";
import { sessionRow } from "#db/record-sessions.ts";
import { type Asked, type Common, PAGE_QUERIES, type PageQuery } from "#tests/support/page-queries.ts";
import { type PlanReader, planReader, type Scan } from "#tests/support/plans.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { seedSpent } from "#tests/support/seed-spent.ts";
import { sessionAt, stepOf } from "#tests/support/sessions.ts";

const DAY_MS = 86_400_000;
const DAYS = 9;
const CALLS = 1500;
const NOW_MS = Date.parse("2026-11-20T19:22:00Z");
/** A few calls of them in nine days: a page that looks for these must not look at all the others. */
const RARE: Common = { environment: "production", feature: "rare", customer: "rare", template: "rare" };
/** What grows with every call. */
const GROWING = /^(calls|usage_lines|payloads|tool_calls|sessions|turns)(_p\d{8})?$/;
/** Rows of a page, its calls' lines, and calls of the broken quarters of an hour at the ends of a range. */
const ROWS_MAX = 300;

let db: TestDatabase;
let plans: PlanReader;
let callId: string;

beforeAll(async () => {
  db = await testDatabase();
  const stepMs = (DAYS * DAY_MS) / CALLS;
  const calls = Array.from({ length: CALLS }, (_, i) => ({
    at: new Date(NOW_MS - 60_000 - i * stepMs).toISOString(),
    ...(i % 350 === 5
      ? { feature: "rare", customer: "rare", template: "rare", version: "v1" }
      : { feature: "chat", customer: "acme", template: "reply", version: "v1" }),
    outcome: i % 500 ? "completed" : "failed",
    durationMs: 100 + i,
    tokens: [10, 0, 5] as const,
    costUsd: "0.01",
  }));
  [callId = ""] = await seedSpent(db.sql, calls);
  await seedSessions(db.sql);
  await ensureIndexes(db.sql, Date.now() + 60_000);
  while ((await foldDays(db.sql, NOW_MS)) > 0);
  await db.sql`analyze`;
  plans = await planReader(db.url);
}, 60_000);
afterAll(async () => {
  await plans?.end();
  await db?.drop();
});

/** Half of the calls stand for sessions too, in which the ones after each happened; the newest is one of a long conversation. */
async function seedSessions(sql: Sql) {
  const row = JSON.stringify(sessionRow({ ...stepOf(sessionAt(0)), resumedFrom: null }, new Date(0).toISOString()));
  await sql`
    insert into sessions
    select (json_populate_record(null::sessions, (${row}::text::jsonb || jsonb_build_object(
      'id', id, 'started_at', started_at, 'feature', feature, 'customer', customer, 'session', 'talk'
    ))::json)).*
    from calls where seq % 2 = 1`;
  await sql`
    insert into turns (session_id, index, kind, tool_calls, latency_ms, first_audio_ms, problems)
    select id, n, 'server_vad', 0, 300, 400, '{}' from sessions cross join generate_series(0, 4) n`;
  await sql`
    update calls set parent_id = (select s.id from sessions s where s.id < calls.id order by s.id desc limit 1)
    where seq % 2 = 0`;
  await sql`
    update calls set conversation_id = 'conv', session = 'talk', prompt_cache_key = 'key', previous_response_id = 'resp', response_id = 'resp'
    where seq % 100 = 0`;
}

const asked = (query: PageQuery): Asked => ({
  scope: {
    project: "default",
    interval: { fromMs: NOW_MS - DAYS * DAY_MS, toMs: NOW_MS },
    filter: query.filter(RARE),
  },
  zone: "Asia/Kolkata",
  nowMs: NOW_MS,
  callId,
});

const scansOf = async (query: PageQuery): Promise<Scan[]> =>
  (await plans.scansOf(() => query.run(plans.sql, asked(query)))).filter(({ table }) => GROWING.test(table));

describe("on a store with many calls", () => {
  it.each(PAGE_QUERIES.map((query) => [query.name, query] as const))(
    "%s: reads no table of calls from end to end",
    async (_, query) => {
      const scans = await scansOf(query);
      expect(scans.filter(({ how }) => how === "Seq Scan")).toEqual([]);
      if (query.kind === "rollup") {
        const rows = scans.reduce((sum, scan) => sum + scan.rows, 0);
        expect([rows <= (query.rowsMax ?? ROWS_MAX), scans]).toEqual([true, scans]);
      }
    },
  );

  it("is noticed when an index is gone", async () => {
    const find = (sql: Sql | TransactionSql) =>
      newestIds(sql, { ...asked(PAGE_QUERIES[0] as PageQuery).scope, filter: { customer: ["rare"] } }, 50);
    const rowsOf = (scans: Scan[]) => scans.reduce((sum, { rows }) => sum + rows, 0);
    expect(rowsOf(await plans.scansOf(() => find(plans.sql)))).toBeLessThan(20);
    const without = await plans.scansOf(() =>
      plans.sql
        .begin(async (tx) => {
          await tx`drop index calls_customer`;
          await find(tx);
          throw new Error("put it back");
        })
        .catch((error: Error) => expect(error.message).toBe("put it back")),
    );
    expect(rowsOf(without)).toBeGreaterThan(ROWS_MAX);
    expect(rowsOf(await plans.scansOf(() => find(plans.sql)))).toBeLessThan(20);
  });

  it("a table that is read from end to end is noticed", async () => {
    const scans = await plans.scansOf(() => plans.sql`select count(*) from usage_lines where quantity > 1`);
    expect(scans.some(({ how }) => how === "Seq Scan")).toBe(true);
  });
});
