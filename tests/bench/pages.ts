import { open } from "#db/connect.ts";
import type { Reader } from "#db/queries/call-filter.ts";
import { newestIds } from "#db/queries/calls-page.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { type Asked, type Common, PAGE_QUERIES, type PageQuery } from "#tests/support/page-queries.ts";
import { seededDatabase } from "./seeded-database.ts";

export interface PagesResult {
  calls: number;
  /** What rollups or an index answer, over all ranges and queries. */
  rollupP95Ms: number;
  otherP95Ms24h: number;
  otherP95Ms90d: number;
  slowest: { query: string; range: string; ms: number };
}

export interface PagesOptions {
  /** Of a database that has calls already; without one `calls` are seeded into a folder that is kept for the next time. */
  database?: string | undefined;
  calls: number;
  rounds: number;
  /** Only queries whose name holds this. */
  only?: string | undefined;
}

const DAY_MS = 86_400_000;
const PROJECT = "default";
/** Kolkata's days are no days of UTC: a month there begins and ends, and is cut, in the middle of them. */
const RANGES = [
  { name: "24h", days: 1, zone: "UTC" },
  { name: "7d", days: 7, zone: "UTC" },
  { name: "30d", days: 30, zone: "UTC" },
  { name: "30d in Kolkata", days: 30, zone: "Asia/Kolkata" },
  { name: "90d", days: 90, zone: "UTC" },
] as const;
type Range = (typeof RANGES)[number];
/** What has to read calls is measured for the shortest and the longest range, in fewer rounds. */
const OTHER_RANGES: readonly string[] = ["24h", "90d"];
const OTHER_ROUNDS = 5;
/** Ended by the database: it took longer than a page may (db/queries/snapshot.ts). */
const ENDED = "57014";

interface Timed {
  query: PageQuery;
  range: string;
  ms: number[];
}

/** How long the queries of every page take at a size, one after the other, after a first time that warms the caches. */
export async function benchPages(
  { database, calls, rounds, only = "" }: PagesOptions,
  say: (line: string) => void,
): Promise<PagesResult> {
  const seeded = database ? null : await seededDatabase(calls, say);
  const sql = open(database ?? (seeded?.url as string), 4);
  try {
    const { nowMs, common, stored } = await lookAround(sql);
    say(`${stored} calls`);
    const timed: Timed[] = [];
    for (const query of PAGE_QUERIES.filter(({ name }) => name.includes(only)))
      for (const range of rangesOf(query)) {
        const of: Asked = await askedFor(sql, query, range, nowMs, common);
        const ms = await timesOf(sql, query, of, query.kind === "other" ? Math.min(rounds, OTHER_ROUNDS) : rounds);
        timed.push({ query, range: range.name, ms });
        say(
          `${percentile(ms, 50).toFixed(0).padStart(6)} ms p50 ${percentile(ms, 95).toFixed(0).padStart(6)} ms p95  ${query.kind} ${range.name}: ${query.name}`,
        );
      }
    return resultOf(timed, stored);
  } finally {
    await sql.end({ timeout: 5 });
    await seeded?.stop();
  }
}

const rangesOf = ({ ranged, kind }: PageQuery): Range[] => {
  if (!ranged) return RANGES.slice(0, 1);
  return RANGES.filter(({ name }) => kind === "rollup" || OTHER_RANGES.includes(name));
};

/** The newest call is taken for now, in the middle of its quarter of an hour as a page would be. */
async function lookAround(sql: Reader): Promise<{ nowMs: number; common: Common; stored: number }> {
  const [row] = await sql<{ until: Date; stored: number }[]>`
    select max(bucket) as until, sum(calls)::bigint as stored from rollup_calls where project_id = ${PROJECT}`;
  if (!row?.until) throw new Error("The database holds no calls to measure with: seed some (npm run seed).");
  const most = async (dimension: keyof Common) => {
    const [value] = await sql<{ value: string }[]>`
      select ${sql(dimension)} as value from rollup_spend_days where project_id = ${PROJECT} and ${sql(dimension)} <> ''
      group by 1 order by sum(calls) desc limit 1`;
    return value?.value ?? "";
  };
  const common = {
    environment: await most("environment"),
    feature: await most("feature"),
    customer: await most("customer"),
    template: await most("template"),
  };
  return { nowMs: row.until.getTime() + 7 * 60_000, common, stored: row.stored };
}

async function askedFor(sql: Reader, query: PageQuery, { days, zone }: Range, nowMs: number, common: Common) {
  const scope = {
    project: PROJECT,
    interval: { fromMs: nowMs - days * DAY_MS, toMs: nowMs },
    filter: query.filter(common),
  };
  const [callId = ""] = await newestIds(sql, { ...scope, filter: {} }, 1);
  return { scope, zone, nowMs, callId };
}

/** Read as pages do, for as long as they wait: what the database ends then counts as that long, once. */
async function timesOf(sql: Parameters<typeof snapshot>[0], query: PageQuery, of: Asked, rounds: number) {
  const ms: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const from = performance.now();
    try {
      const took = await snapshot(sql, async (tx) => {
        const begun = performance.now();
        await query.run(tx, of);
        return performance.now() - begun;
      });
      if (round > 0) ms.push(took);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === ENDED)) throw error;
      return [performance.now() - from];
    }
  }
  return ms;
}

function resultOf(timed: readonly Timed[], calls: number): PagesResult {
  const p95 = (which: (one: Timed) => boolean) =>
    round(
      percentile(
        timed.filter(which).flatMap(({ ms }) => ms),
        95,
      ),
    );
  const worst = timed
    .map(({ query, range, ms }) => ({ query: query.name, range, ms: round(percentile(ms, 50)) }))
    .sort((a, b) => b.ms - a.ms)[0];
  return {
    calls,
    rollupP95Ms: p95(({ query }) => query.kind === "rollup"),
    otherP95Ms24h: p95(({ query, range }) => query.kind === "other" && range === "24h"),
    otherP95Ms90d: p95(({ query, range }) => query.kind === "other" && range === "90d"),
    slowest: worst ?? { query: "", range: "", ms: 0 },
  };
}

const round = (ms: number): number => Number(ms.toFixed(1));

/** By nearest rank; 0: there is none. */
const percentile = (values: readonly number[], percent: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
};
