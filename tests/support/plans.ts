import postgres, { type Sql } from "postgres";

/** A node of a plan as Postgres tells it, with what it really did. */
interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows"?: number;
  "Actual Loops"?: number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Plans?: PlanNode[];
}

/** How a statement read a table. */
export interface Scan {
  table: string;
  how: string;
  index: string | null;
  /** Rows looked at, those that a filter then left out included. */
  rows: number;
}

export interface PlanReader {
  /** Its connection tells the plan of all that it runs. */
  sql: Sql;
  /** The scans of the statements that `run` has run. */
  scansOf(run: () => Promise<unknown>): Promise<Scan[]>;
  end(): Promise<void>;
}

/**
 * Reads real plans of real statements, parameters included: the server's own auto_explain says them as notices. Tables of a test are
 * small, so sequential scans are made to look as dear as they are where calls are many.
 */
export async function planReader(url: string): Promise<PlanReader> {
  let plans: PlanNode[] = [];
  const sql = postgres(url, {
    max: 1,
    prepare: false,
    connection: { TimeZone: "UTC" },
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
    onnotice({ message = "" }) {
      const at = message.indexOf("{");
      if (message.includes("plan:") && at >= 0) plans.push((JSON.parse(message.slice(at)) as { Plan: PlanNode }).Plan);
    },
  }) as unknown as Sql;
  await sql.unsafe(`
    load 'auto_explain';
    set auto_explain.log_level = notice;
    set auto_explain.log_format = json;
    set auto_explain.log_analyze = on;
    set auto_explain.log_timing = off;
    set enable_seqscan = off;
    set max_parallel_workers_per_gather = 0;
    set auto_explain.log_min_duration = 0`);
  return {
    sql,
    async scansOf(run) {
      plans = [];
      await run();
      return plans.flatMap(scansIn);
    },
    end: () => sql.end({ timeout: 1 }),
  };
}

function scansIn(node: PlanNode): Scan[] {
  const below = (node.Plans ?? []).flatMap(scansIn);
  const table = node["Relation Name"];
  if (!table || node["Node Type"] === "ModifyTable") return below;
  const perLoop =
    (node["Actual Rows"] ?? 0) + (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  const rows = Math.round(perLoop * (node["Actual Loops"] ?? 1));
  return [{ table, how: node["Node Type"], index: node["Index Name"] ?? null, rows }, ...below];
}
