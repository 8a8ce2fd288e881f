import type { Sql } from "postgres";

/**
 * Where a table's rows live on Citus. `distributed`: spread by the column, which every unique key must contain, beside the
 * calls of the same id. `reference`: a copy on every node, for what queries over calls ask for each row. `local`: on the
 * coordinator alone.
 */
type Place = { kind: "distributed"; by: string } | { kind: "reference" } | { kind: "local" };

const byCall: Place = { kind: "distributed", by: "call_id" };
const reference: Place = { kind: "reference" };
const local: Place = { kind: "local" };

/**
 * Every table of the schema. What grows with the calls and is read by their id is distributed; a test holds this list against the schema
 * and the SQL against this list. What is derived stays on the coordinator: it is a small part of the calls,
 * pages read nothing else, and keeping it means to look at rows that are there, which Citus can do on one node only.
 */
export const PLACES: Readonly<Record<string, Place>> = {
  calls: { kind: "distributed", by: "id" },
  usage_lines: byCall,
  tool_calls: byCall,
  payloads: byCall,
  media: byCall,
  sessions: { kind: "distributed", by: "id" },
  turns: { kind: "distributed", by: "session_id" },
  booked_as: byCall,
  closed_periods: reference,
  prices: reference,
  // Found by names that are no call's id.
  provider_objects: local,
  feedback: local,
  instructions: local,
  changes: local,
  attributed_values: local,
  folded_days: local,
  ratings: local,
  ratings_folded: local,
  ratings_sums: local,
  rollup_attributed: local,
  rollup_calls: local,
  rollup_latency: local,
  rollup_latency_days: local,
  rollup_spend: local,
  rollup_spend_days: local,
  rollup_spend_upto: local,
  rollups_due: local,
  // One row for each recorder, run, rule or job.
  price_terms: local,
  rerates: local,
  alert_rules: local,
  alerts: local,
  jobs: local,
  set_aside: local,
  settings: local,
  spool_carried: local,
  spool_positions: local,
  spool_runs: local,
};

const TRIGGERS: Readonly<Record<string, readonly string[]>> = { usage_lines: ["usage_lines_fit"] };

/** Other tables are colocated with this one. */
const FIRST = "calls";

/**
 * On a database with the Citus extension, spreads the tables over its nodes; partitions that are made later follow by
 * themselves. Does nothing anywhere else, for a table that is spread already, and when there are calls that are not: spreading
 * moves them, under a lock that stops everybody (docs/operations.md says how to choose the hour).
 */
export async function distribute(sql: Sql): Promise<void> {
  const [extension] = await sql`select 1 from pg_extension where extname = 'citus'`;
  if (!extension) return;
  const rows = await sql<{ name: string }[]>`
    select c.relname as name from pg_dist_partition d join pg_class c on c.oid = d.logicalrelid`;
  const spread = new Set(rows.map(({ name }) => name));
  const [full] = spread.has(FIRST) ? [] : await sql`select 1 from calls limit 1`;
  if (full) return;
  const statements = distribution(spread);
  if (statements.length) await sql.unsafe(statements.join(";\n"));
}

/** SQL that spreads the tables, less those that are `spread`: calls first, since the others follow them. */
export function distribution(spread: ReadonlySet<string> = new Set()): string[] {
  const names = [FIRST, ...Object.keys(PLACES).filter((name) => name !== FIRST)];
  const statements = names
    .filter((name) => !spread.has(name))
    .flatMap((name) => {
      const place = PLACES[name] ?? local;
      if (place.kind === "local") return [];
      if (place.kind === "reference") return [`select create_reference_table('${name}')`];
      const beside = name === FIRST ? "none" : FIRST;
      // It refuses tables with triggers. What they check is checked on one node only.
      const triggers = (TRIGGERS[name] ?? []).map((trigger) => `drop trigger if exists ${trigger} on ${name}`);
      return [...triggers, `select create_distributed_table('${name}', '${place.by}', colocate_with => '${beside}')`];
    });
  // Partitions are many connections otherwise, and a later statement of the transaction could not see what they did.
  return statements.length ? ["set local citus.multi_shard_modify_mode to 'sequential'", ...statements] : [];
}
