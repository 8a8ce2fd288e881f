import type { Sql } from "postgres";

export interface OnlineIndex {
  name: string;
  /** In partitions. */
  table: "calls";
  columns: string;
  /** Kept beside the key, so that the table itself is not read. */
  include?: string;
  where?: string;
}

/**
 * Indexes that came when databases were full already: a migration would make everybody wait while it reads all of a table. To add
 * one, add a row with the question that needs it; what asks for it has to be right without it, too, because it comes later.
 */
export const ONLINE_INDEXES: readonly OnlineIndex[] = [
  // The list and the newest ids under a template, and what calls of a template have in common (db/queries/comparable-calls.ts).
  { name: "calls_template", table: "calls", columns: "template, id desc" },
  // The attempts of an operation (db/queries/call-page.ts, waste.ts): most calls are one by themselves.
  { name: "calls_operation", table: "calls", columns: "operation_id, id", where: "operation_id <> id" },
  // The calls of a session or of a batch (db/queries/session-view.ts).
  { name: "calls_parent", table: "calls", columns: "parent_id, id", where: "parent_id is not null" },
  // What else belongs to a call's conversation (db/queries/related-calls.ts): most calls say none of it.
  {
    name: "calls_previous_response",
    table: "calls",
    columns: "previous_response_id, id",
    where: "previous_response_id is not null",
  },
  { name: "calls_conversation", table: "calls", columns: "conversation_id, id", where: "conversation_id is not null" },
  { name: "calls_cache_key", table: "calls", columns: "prompt_cache_key, id", where: "prompt_cache_key is not null" },
  // Which attempts of a stretch of time could have made an earlier one's answer again (db/queries/superseded.ts).
  {
    name: "calls_attempts",
    table: "calls",
    columns: "id desc",
    include: "project_id, operation_id, attempt, started_at, outcome",
    where: "attempt > 0 and operation_id <> id",
  },
];

/**
 * Makes what is missing of `ONLINE_INDEXES` while traffic goes on, partition by partition, until all are there or `untilMs` (milliseconds since
 * the epoch) has passed, at least one. Returns how many parts it made; 0: nothing is missing, or somebody else is at it. What a crash left half made is
 * made anew. Each is a statement of its own, as `concurrently` demands. New partitions get theirs from the parent when they are attached.
 */
export async function ensureIndexes(
  sql: Sql,
  untilMs: number,
  wanted: readonly OnlineIndex[] = ONLINE_INDEXES,
): Promise<number> {
  let made = 0;
  for (const index of wanted) {
    await ensureParent(sql, index);
    for (const part of await missingParts(sql, index)) {
      if (part.underWay) return made;
      await makePart(sql, index, part);
      made++;
      if (Date.now() >= untilMs) return made;
    }
  }
  return made;
}

/** A partition without its part of the index. */
interface Part {
  partition: string;
  /** Of the part's own name there is an index, which is whole, or was left unfinished; null: there is none. */
  state: "whole" | "unfinished" | null;
  /** Somebody is making it at this moment. */
  underWay: boolean;
}

/**
 * The parent's is a name in the catalogue, not valid until every partition has its part. It needs a lock that waits for writers, and
 * that they wait for: rather not now than for long.
 */
async function ensureParent(sql: Sql, { name, table, ...index }: OnlineIndex): Promise<void> {
  const [known] = await sql`select 1 from pg_class where oid = to_regclass(${name})`;
  if (known) return;
  await sql.unsafe(
    `set local lock_timeout = '2s'; create index if not exists ${name} on only ${table} ${definition(index)}`,
  );
}

/** The newest first: they are asked for most. */
function missingParts(sql: Sql, { name, table }: OnlineIndex): Promise<Part[]> {
  return sql<Part[]>`
    select
      part.inhrelid::regclass::text as partition,
      case when own.indisvalid then 'whole' when own.indexrelid is not null then 'unfinished' end as state,
      exists (
        select 1 from pg_stat_progress_create_index building
        where building.datname = current_database() and building.index_relid = own.indexrelid
      ) as "underWay"
    from pg_inherits part
    left join pg_index own
      on own.indexrelid = to_regclass(part.inhrelid::regclass::text || ${name.slice(table.length)}::text)
    where part.inhparent = ${table}::regclass
      and not exists (
        select 1 from pg_inherits child join pg_index of on of.indexrelid = child.inhrelid
        where child.inhparent = to_regclass(${name}) and of.indrelid = part.inhrelid
      )
    order by part.inhrelid::regclass::text desc`;
}

async function makePart(sql: Sql, { name, table, ...index }: OnlineIndex, { partition, state }: Part) {
  const part = `${partition}${name.slice(table.length)}`;
  if (state === "unfinished") await sql.unsafe(`drop index concurrently if exists ${part}`);
  if (state !== "whole")
    await sql.unsafe(`create index concurrently if not exists ${part} on ${partition} ${definition(index)}`);
  await sql.unsafe(`alter index ${name} attach partition ${part}`);
}

const definition = ({ columns, include, where }: Omit<OnlineIndex, "name" | "table">): string =>
  `(${columns}) ${include ? `include (${include})` : ""} ${where ? `where ${where}` : ""}`;
