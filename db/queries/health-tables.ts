import { PARTITIONED } from "#db/partitions.ts";
import type { Reader } from "./call-filter.ts";

export interface TableSize {
  table: string;
  /** 0: it is one table. */
  partitions: number;
  /** With indexes and what is stored out of line. */
  bytes: number;
  /** As the last `analyze` found; null: not analysed yet, wholly or in part. */
  rows: number | null;
  /** Of the newest whole partitions: what a day adds. null: not known, or it is not in partitions. */
  bytesPerDay: number | null;
}

/** Largest first. Partitions are added up. */
export async function tableSizes(sql: Reader, nowMs: number): Promise<TableSize[]> {
  const rows = await sql<(Omit<TableSize, "bytesPerDay"> & { recent: { from: string; bytes: number }[] | null })[]>`
    select
      top.relname as table, count(*) filter (where part.relispartition)::int as partitions,
      sum(pg_total_relation_size(part.oid))::bigint as bytes,
      case when bool_or(part.reltuples < 0 and part.relkind = 'r') then null
        else sum(greatest(part.reltuples, 0)) filter (where part.relkind = 'r') end::float8 as rows,
      jsonb_agg(jsonb_build_object('from', right(part.relname, 8), 'bytes', pg_total_relation_size(part.oid))
        order by part.relname desc) filter (where part.relispartition) as recent
    from pg_class top
    cross join lateral (
      select oid, relname, relkind, reltuples, relispartition from pg_class
      where oid = top.oid or (top.relkind = 'p' and oid in (select relid from pg_partition_tree(top.oid)))
    ) part
    where top.relnamespace = 'public'::regnamespace and top.relkind in ('r', 'p') and not top.relispartition
    group by top.relname
    order by 3 desc, 1`;
  return rows.map(({ recent, ...row }) => ({ ...row, bytesPerDay: growth(row.table, recent ?? [], nowMs) }));
}

const DAY_MS = 86_400_000;
const DAYS = 7;

/** Of the whole partitions that lie in the last two weeks, as many as make a week. */
function growth(table: string, partitions: readonly { from: string; bytes: number }[], nowMs: number): number | null {
  const spanMs = PARTITIONED.find((one) => one.table === table)?.spanMs;
  if (spanMs === undefined) return null;
  const whole = partitions
    .filter(({ from }) => from <= nameDay(nowMs - spanMs) && from >= nameDay(nowMs - 2 * DAYS * DAY_MS))
    .slice(0, (DAYS * DAY_MS) / spanMs);
  if (whole.length === 0) return null;
  return whole.reduce((sum, { bytes }) => sum + bytes, 0) / ((whole.length * spanMs) / DAY_MS);
}

export interface Freed {
  bytes: number;
  partitions: number;
}

/** What dropping the partitions of these tables that end before a moment frees. */
export async function sizeBefore(sql: Reader, tables: readonly string[], ms: number): Promise<Freed> {
  const spans = PARTITIONED.filter(({ table }) => tables.includes(table));
  const found = await Promise.all(
    spans.map(
      ({ table, spanMs }) => sql<Freed[]>`
        select coalesce(sum(pg_total_relation_size(part.oid)), 0)::bigint as bytes, count(*)::int as partitions
        from pg_inherits i join pg_class part on part.oid = i.inhrelid
        where i.inhparent = ${table}::regclass
          and right(part.relname, 8) <= ${nameDay(ms - spanMs)}`,
    ),
  );
  return found
    .flat()
    .reduce((sum, one) => ({ bytes: sum.bytes + one.bytes, partitions: sum.partitions + one.partitions }));
}

/** A day as it stands at the end of a partition's name (db/partitions.ts), so that names can be compared. */
const nameDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll("-", "");
