import type { Reader } from "./call-filter.ts";
import { moneyOf } from "./calls-page.ts";

/** Calls that an exchange told of: lines of a batch, sessions of containers. */
export interface CallChildren {
  calls: number;
  /** Exact decimals; null: none of them has a price. */
  costUsd: string | null;
  callsUnpriced: number;
  /** null: there are none. */
  firstId: string | null;
}

/** What came out of a call, and what it came to: each of them is a call of its own. */
export async function childrenOfCall(sql: Reader, project: string, id: string): Promise<CallChildren> {
  const [row] = await sql<CallChildren[]>`
    select
      count(*)::float8 as calls, trim_scale(sum(money."costUsd"::numeric))::text as "costUsd",
      (count(*) filter (where money.unpriced or 'usage_inconsistent' = any(problems)))::float8 as "callsUnpriced",
      min(calls.id::text) as "firstId"
    from calls cross join lateral (${moneyOf(sql, sql`calls.id`)}) money
    where project_id = ${project} and parent_id = ${id}::uuid`;
  return row ?? { calls: 0, costUsd: null, callsUnpriced: 0, firstId: null };
}
