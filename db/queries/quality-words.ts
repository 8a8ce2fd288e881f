import { uuid7Floor } from "#db/partitions.ts";
import { type CallFilter, matching, type Reader, type Scope } from "./call-filter.ts";

/** Attributes that `ratings` repeats of its calls; a filter by any other looks the calls up. */
const REPEATED = [
  "feature",
  "model",
  "outcome",
  "environment",
  "customer",
  "template",
  "templateVersion",
  "unitHash",
  "endpoint",
] as const satisfies (keyof CallFilter)[];

/**
 * Conditions on `ratings`, which holds the words in force (db/rate-calls.ts): those on calls of a scope. A word counts at the time of
 * its call, whenever it came.
 */
export function wordsInScope(sql: Reader, { project, interval, filter }: Scope) {
  const named = Object.entries(filter);
  const repeated: CallFilter = Object.fromEntries(named.filter(([name]) => isRepeated(name)));
  const others: CallFilter = Object.fromEntries(named.filter(([name]) => !isRepeated(name)));
  const inInterval = (id: "call_id" | "id") => sql`
    ${sql(id)} >= ${uuid7Floor(interval.fromMs)}::uuid and ${sql(id)} < ${uuid7Floor(interval.toMs)}::uuid`;
  return sql`
    project_id = ${project} and ${inInterval("call_id")} ${matching(sql, repeated, interval)}
    ${
      Object.keys(others).length > 0
        ? // Word by word: there are fewer than calls.
          sql`and (select true from calls where id = call_id and ${inInterval("id")} ${matching(sql, others, interval)})`
        : sql``
    }`;
}

/** Can a filter by this be answered without looking at the calls? */
export const isRepeated = (name: string): boolean => REPEATED.some((one) => one === name);
