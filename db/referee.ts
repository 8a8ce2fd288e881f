import type { Sql } from "postgres";
import { LATENCY_METRICS } from "#lib/latency.ts";
import { dayOf } from "./booking.ts";
import { FOLDED_AS, FOLDED_ROLLUPS, FOLDED_TABLES, sumDay } from "./fold-days.ts";
import { foldRatingsDay, RATINGS_PARTS } from "./fold-ratings.ts";
import { uuid7Floor } from "./partitions.ts";
import { rateDay } from "./rate-calls.ts";
import { rollUpBetween } from "./rebuild-rollups.ts";
import { LATENCY_DIMENSIONS, LATENCY_SUMS } from "./rollup-latency.ts";
import { OTHER } from "./rollup-limit.ts";
import { SPEND_DIMENSIONS, SPEND_MEASURES } from "./rollup-spend.ts";
import { sealedUntil } from "./sealed.ts";
import { schemaOf, shadow } from "./shadow-tables.ts";

/** A row that one side has and the other has not, or not so. */
export interface Difference {
  table: string;
  /** `stored` is in the table; `recomputed` should be. */
  side: "stored" | "recomputed";
  row: Record<string, unknown>;
}

const DAY_MS = 86_400_000;
/** Of each day and table: enough to see what is wrong. */
const ROWS_MAX = 50;

interface Derived {
  name: string;
  dimensions: readonly string[];
  sums: readonly string[];
  histograms?: readonly string[];
}

const CALLS: Derived = {
  name: "rollup_calls",
  dimensions: ["environment", "feature", "model", "endpoint", "outcome"],
  sums: [
    "calls",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "input_tokens_estimated",
    "output_tokens_estimated",
    "calls_without_usage",
    "operations",
    "cost_usd",
    "cost_estimated_usd",
    "calls_unpriced",
  ],
};
const LATENCY: Derived = {
  name: "rollup_latency",
  dimensions: LATENCY_DIMENSIONS,
  sums: LATENCY_SUMS,
  histograms: LATENCY_METRICS,
};
const SPEND: Derived = { name: "rollup_spend", dimensions: SPEND_DIMENSIONS, sums: SPEND_MEASURES };

/**
 * Computes everything that is derived from calls of some UTC days once more and returns where it differs from what is stored; changes
 * nothing, and nobody waits for it. Left out is what cannot differ or cannot be known: the money of closed months, which stays as it was
 * closed, sealed days, and days that wait to be counted again (`rollups_due`). Where values were too many to be told apart, which
 * of them have names depends on who came first: there, sums are compared. Bounds are milliseconds, rounded outwards to days.
 */
export async function differences(
  sql: Sql,
  fromMs: number,
  toMs: number,
  onDay?: (day: string) => void,
): Promise<Difference[]> {
  const schema = await schemaOf(sql);
  const sealedMs = (await sealedUntil(sql)) ?? Number.NEGATIVE_INFINITY;
  const due = new Set((await sql<{ day: string }[]>`select day::text from rollups_due`).map(({ day }) => day));
  const found: Difference[] = [];
  for (let day = Math.floor(fromMs / DAY_MS) * DAY_MS; day < toMs; day += DAY_MS) {
    const areCallsKept = day >= sealedMs;
    if (areCallsKept && !due.has(dayOf(day)))
      found.push(
        ...(await ofQuarters(sql, schema, day)),
        ...(await ofRatings(sql, schema, day)),
        ...(await ofRatingsSums(sql, schema, dayOf(day))),
      );
    found.push(...(await ofFolded(sql, schema, dayOf(day), areCallsKept)));
    onDay?.(dayOf(day));
  }
  return found;
}

/** In one message, so one transaction, and of one snapshot: calls may be stored meanwhile. */
const beside = (schema: string, tables: readonly string[]) => `
  set transaction isolation level repeatable read;
  ${shadow(schema, tables)}`;

function ofQuarters(sql: Sql, schema: string, dayMs: number): Promise<Difference[]> {
  const tables = [CALLS, LATENCY, SPEND];
  const end = new Date(dayMs + DAY_MS).toISOString();
  const within = `bucket >= '${new Date(dayMs).toISOString()}' and bucket < '${end}'`;
  const isOpen = `not exists (
    select 1 from closed_periods p where p.project_id = r.project_id and p.month = '${dayOf(dayMs).slice(0, 7)}-01'
  )`;
  return lastResult(
    sql,
    `${beside(
      schema,
      tables.map(({ name }) => name),
    )};
    ${rollUpBetween(dayMs, dayMs + DAY_MS)};
    ${tables.map((table) => compared(table, schema, table === SPEND ? `${within} and ${isOpen}` : within)).join(" union all ")}`,
  );
}

function ofRatings(sql: Sql, schema: string, dayMs: number): Promise<Difference[]> {
  const rows = (from: string) => `
    select * from ${from}.ratings
    where call_id >= '${uuid7Floor(dayMs)}' and call_id < '${uuid7Floor(dayMs + DAY_MS)}'`;
  return lastResult(
    sql,
    `${beside(schema, ["ratings", "ratings_folded"])};
    ${rateDay(dayMs).join(";\n")};
    ${eitherWay("ratings", rows(schema), rows("pg_temp"))}`,
  );
}

async function ofRatingsSums(sql: Sql, schema: string, day: string): Promise<Difference[]> {
  const rows = (from: string) => `
    select s.* from ${from}.ratings_sums s
    where at >= '${day}T00:00:00Z' and at < '${day}T00:00:00Z'::timestamptz + interval '1 day' and exists (
      select from ${schema}.ratings_folded f
      where f.day = '${day}' and f.part = case s.part when 'quarters' then 'words' else s.part end
    )`;
  return lastResult(
    sql,
    `${beside(schema, ["ratings_sums", "ratings_folded"])};
    ${RATINGS_PARTS.flatMap((part) => foldRatingsDay(part, day)).join(";\n")};
    ${eitherWay("ratings_sums", rows(schema), rows("pg_temp"))}`,
  );
}

async function ofFolded(sql: Sql, schema: string, day: string, areCallsKept: boolean): Promise<Difference[]> {
  const marks = await sql<{ projectId: string; rollup: string }[]>`
    select project_id as "projectId", rollup from folded_days where day = ${day}::date`;
  const folded = marks.flatMap(({ projectId, rollup: mark }) =>
    FOLDED_ROLLUPS.filter((rollup) => FOLDED_AS[rollup] === mark && (areCallsKept || rollup !== "attributed")).map(
      (rollup) => ({ projectId, rollup }),
    ),
  );
  if (folded.length === 0) return [];
  const rollups = FOLDED_ROLLUPS.filter((rollup) => folded.some((one) => one.rollup === rollup));
  const tables = rollups.flatMap((rollup) => FOLDED_TABLES[rollup].map((name) => ({ name, mark: FOLDED_AS[rollup] })));
  // What is folded no more by then is made anew by whoever folds.
  const rows = (from: string, { name, mark }: { name: string; mark: string }) => `
    select r.* from ${from}.${name} r
    where day = '${day}' and exists (
      select from folded_days f where f.project_id = r.project_id and f.day = r.day and f.rollup = '${mark}'
    )`;
  return lastResult(
    sql,
    `${beside(
      schema,
      tables.map(({ name }) => name),
    )};
    ${folded.map(({ rollup, projectId }) => sumDay(rollup, projectId, day)).join(";\n")};
    ${tables.map((table) => eitherWay(table.name, rows(schema, table), rows("pg_temp", table))).join(" union all ")}`,
  );
}

/** SQL: rows of a rollup that only one side has. A row of nothing is no row. */
function compared({ name, dimensions, sums, histograms = [] }: Derived, schema: string, which: string): string {
  const place = "project_id, bucket, writer";
  const hasOther = dimensions.map((dimension) => `${dimension} = '${OTHER}'`).join(" or ");
  const bounded = [schema, "pg_temp"]
    .map((from) => `select ${place} from ${from}.${name} r where ${which} and (${hasOther})`)
    .join(" union ");
  const isSomething = sums.map((sum) => `${sum} is distinct from 0`).join(" or ");
  const rows = (from: string) => `
    select ${place}, ${[...dimensions, ...sums, ...histograms].join(", ")} from ${from}.${name} r
    where ${which} and (${isSomething}) and (${place}) not in (${bounded})
    union all
    select ${place}, ${dimensions.map(() => "'(all)'").join(", ")}, ${sums.map((sum) => `sum(${sum})`).join(", ")}
      ${histograms.map(() => ", null::histogram").join("")}
    from ${from}.${name} r where ${which} and (${place}) in (${bounded}) group by ${place}`;
  return eitherWay(name, rows(schema), rows("pg_temp"));
}

const eitherWay = (table: string, stored: string, recomputed: string): string =>
  [
    ["stored", stored, recomputed],
    ["recomputed", recomputed, stored],
  ]
    .map(
      ([side, these, those]) =>
        `(select '${table}' as "table", '${side}' as side, to_jsonb(r) as row from ((${these}) except all (${those})) r limit ${ROWS_MAX})`,
    )
    .join(" union all ");

async function lastResult(sql: Sql, text: string): Promise<Difference[]> {
  const results = (await sql.unsafe(text)) as unknown as Difference[][];
  return [...(results.at(-1) ?? [])];
}
