import { uuid7Floor } from "#db/partitions.ts";
import type { Interval } from "#lib/range.ts";
import { OPERATION_MS } from "#lib/waste.ts";
import type { Reader } from "./call-filter.ts";

/**
 * SQL: ids of calls begun in a stretch of time that completed, as did a later attempt of their operation. Begins with the later
 * attempts, which are few and have an index of their own, so that nothing else is read. Some ids may come twice.
 */
export const superseded = (sql: Reader, { fromMs, toMs }: Interval) => sql`
  with later as materialized (${furtherAttempts(sql, { fromMs, toMs })})
  select earlier.id from later join calls earlier
    on earlier.id = later.operation_id
    and ${supersedes(sql, { fromMs, toMs })}
  union all
  select earlier.id from later join calls earlier
    on earlier.operation_id = later.operation_id and earlier.operation_id <> earlier.id
    and ${supersedes(sql, { fromMs, toMs })}`;

const supersedes = (sql: Reader, { fromMs, toMs }: Interval) => sql`
  earlier.project_id = later.project_id and earlier.outcome = 'completed' and earlier.attempt < later.attempt
  and earlier.id >= later.near_from and earlier.id < later.near_to
  and earlier.id >= ${uuid7Floor(fromMs)}::uuid and earlier.id < ${uuid7Floor(toMs)}::uuid`;

/** SQL: attempts that completed and could supersede a call of a stretch of time, and between which ids it lies. */
export const furtherAttempts = (sql: Reader, { fromMs, toMs }: Interval) => sql`
  select
    project_id, operation_id, attempt,
    ${idsFrom(sql, 1 - OPERATION_MS)} as near_from, ${idsFrom(sql, OPERATION_MS)} as near_to
  from calls
  where attempt > 0 and operation_id <> id and outcome = 'completed'
    and id >= ${uuid7Floor(fromMs - OPERATION_MS)}::uuid and id < ${uuid7Floor(toMs + OPERATION_MS)}::uuid`;

/** SQL: the first id of so many milliseconds after the call began. What uuid7_floor gives, in a quarter of its time: there are thousands. */
const idsFrom = (sql: Reader, afterMs: number) => sql`
  (lpad(to_hex(round(date_part('epoch', started_at) * 1000)::bigint + ${afterMs}::bigint), 12, '0') || ${"0".repeat(20)})::uuid`;
