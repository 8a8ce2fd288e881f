import type { Sql } from "postgres";
import { dayOf } from "./booking.ts";
import { forgetWords } from "./forget-words.ts";
import { dropPartition, PARTITIONED, type PartitionedTable, partitionsBefore, uuid7Floor } from "./partitions.ts";
import { quoted } from "./rows.ts";
import { EDGES, keptSince } from "./sealed.ts";

export const RETENTION_JOB = "retention";

/** For how many days something is kept; null: for ever. */
export interface Retention {
  contentDays: number | null;
  factsDays: number | null;
}

export interface Retired {
  /** Partitions that were dropped. */
  dropped: string[];
  /** Why facts that are old enough are still kept; null: none are. */
  waits: string | null;
}

const DAY_MS = 86_400_000;
const CONTENT = PARTITIONED.filter(({ holds }) => holds === "content").map(({ table }) => table);
/** The calls last: while some are there, the rest is looked for again. There is no content without its call. */
const FACTS: readonly PartitionedTable[] = [
  ...PARTITIONED.map(({ table }) => table).filter((table) => table !== "calls"),
  "calls",
];

/**
 * Drops what is older than it is to be kept, by whole partitions: content day by day, facts week by week. Before anything goes, an
 * edge is written (db/sealed.ts) behind which nobody stores or counts anew any more; what lies behind it is then dropped, now or,
 * after a crash, the next time. Two at once do no harm.
 * @throws the database's error; what was done until then stays done
 */
export async function retire(sql: Sql, { contentDays, factsDays }: Retention, nowMs: number): Promise<Retired> {
  const waits = factsDays === null ? null : await sealFacts(sql, nowMs - factsDays * DAY_MS);
  if (contentDays !== null) {
    const edgeMs = Math.floor(nowMs / DAY_MS - contentDays) * DAY_MS;
    if (edgeMs > ((await keptSince(sql)).contentFromMs ?? 0)) await moveEdge(sql, EDGES.content, edgeMs);
  }
  const { factsFromMs, contentFromMs } = await keptSince(sql);
  const dropped: string[] = [];
  if (contentFromMs !== null) {
    await forgetWords(sql, contentFromMs);
    for (const table of CONTENT) dropped.push(...(await dropBefore(sql, table, contentFromMs)));
  }
  if (factsFromMs !== null && (await partitionsBefore(sql, "calls", factsFromMs)).length > 0) {
    await dropBeside(sql, factsFromMs);
    for (const table of FACTS) dropped.push(...(await dropBefore(sql, table, factsFromMs)));
  }
  return { dropped, waits };
}

/** Seals as many of the weeks before a moment as can be. Returns why not all of them, or null. */
async function sealFacts(sql: Sql, wantedMs: number): Promise<string | null> {
  const { factsFromMs } = await keptSince(sql);
  const edges = (await partitionsBefore(sql, "calls", wantedMs))
    .map(({ toMs }) => toMs)
    .filter((toMs) => toMs > (factsFromMs ?? Number.NEGATIVE_INFINITY))
    .toReversed();
  let why: string | null = null;
  for (const edgeMs of edges) {
    const hindrance = await hindranceOf(sql, edgeMs);
    if (hindrance === null && (await moveEdge(sql, EDGES.facts, edgeMs, hindrances(edgeMs)))) return why;
    why ??= `facts before ${dayOf(edgeMs)} are old enough to be dropped and stay: ${hindrance ?? "something was stored for them just now"}`;
  }
  return why;
}

async function hindranceOf(sql: Sql, edgeMs: number): Promise<string | null> {
  const [row] = await sql.unsafe<{ why: string }[]>(`${hindrances(edgeMs)} limit 1`);
  return row?.why ?? null;
}

/**
 * SQL: a row for each reason why the days before a moment cannot be sealed yet. Who closes months needs their lines until then,
 * what is booked later than its call must not be counted anew without that call, and how many calls could have been rated is known
 * of a day without calls only where it was summed (db/fold-ratings.ts).
 */
function hindrances(edgeMs: number): string {
  const day = `'${dayOf(edgeMs)}'::date`;
  const id = `'${uuid7Floor(edgeMs)}'`;
  const isOpen = (project: string, booked: string) => `not exists (
    select from closed_periods p where p.project_id = ${project} and p.month = date_trunc('month', ${booked})::date)`;
  return `
    select 'their rollups wait to be counted again' as why where exists (select from rollups_due where day < ${day})
    union all
    select 'their calls are not summed yet beside the ratings, which takes minutes' where exists (
      select from (select started_at from calls order by id limit 1) first
      cross join lateral generate_series(
        date_trunc('day', started_at at time zone 'UTC'), ${day}::timestamp - interval '1 day', interval '1 day'
      ) each (midnight)
      where not exists (select from ratings_folded f where f.part = 'calls' and f.day = midnight::date)
    )
    union all
    select 'not every month before is closed: close it (npm run close-month)' where exists (
      select from (
        select c.project_id, max(c.started_at at time zone 'UTC') as newest, min(p.first) as first
        from (select project_id, min(month) as first from closed_periods group by 1) p
        cross join lateral (
          select c.project_id, c.started_at from calls c where c.project_id = p.project_id and c.id < ${id} order by c.id desc limit 1
        ) c
        group by 1
      ) closing
      cross join lateral generate_series(first, date_trunc('month', newest), interval '1 month') as each (begins)
      where ${isOpen("closing.project_id", "each.begins")}
    )
    union all
    select 'something of them is booked in a month that is still open' where exists (
      select from calls c where c.booked_on >= ${day} and c.id < ${id} and ${isOpen("c.project_id", "c.booked_on")}
    ) or exists (
      select from usage_lines l join calls c on c.id = l.call_id
      where l.adjustment > 0 and l.booked_on >= ${day} and l.call_id < ${id} and ${isOpen("c.project_id", "l.booked_on")}
    ) or exists (
      select from booked_as b join calls c on c.id = b.call_id
      where b.booked_on >= ${day} and b.call_id < ${id} and ${isOpen("c.project_id", "b.booked_on")}
    )`;
}

/**
 * Writes an edge, unless `unless` (SQL) has a row. One message, one transaction: the lock waits for batches and rebuilds under way,
 * and those that follow see the new edge. It waits not for long, because they then wait behind it. False: the edge stays.
 */
async function moveEdge(sql: Sql, name: string, ms: number, unless = "select where false"): Promise<boolean> {
  await sql.unsafe(`
    select set_config('lock_timeout', '2s', true);
    lock table closed_periods in exclusive mode;
    insert into settings as s (name, value)
    select ${quoted(name)}, to_jsonb('${dayOf(ms)}'::text) where not exists (${unless})
    on conflict (name) do update set value = excluded.value where s.value #>> '{}' < excluded.value #>> '{}'`);
  const [row] = await sql<{ day: string }[]>`select value #>> '{}' as day from settings where name = ${name}`;
  return row !== undefined && row.day >= dayOf(ms);
}

/** What serves calls that are about to go: which answer was theirs, and how a closed month had named them. */
async function dropBeside(sql: Sql, edgeMs: number): Promise<void> {
  const id = uuid7Floor(edgeMs);
  await sql`delete from provider_objects where call_id < ${id}`;
  await sql`delete from booked_as where call_id < ${id}`;
}

async function dropBefore(sql: Sql, table: PartitionedTable, ms: number): Promise<string[]> {
  const partitions = await partitionsBefore(sql, table, ms);
  for (const partition of partitions) await dropPartition(sql, partition);
  return partitions.map(({ name }) => name);
}
