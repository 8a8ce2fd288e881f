import type { PendingQuery, Row } from "postgres";
import type { Reader } from "./call-filter.ts";

/** SQL: the rows of all of these, at least one. */
export const unionAll = (sql: Reader, parts: readonly PendingQuery<Row[]>[]): PendingQuery<Row[]> =>
  parts.reduce((before, part) => sql`${before} union all ${part}`);
