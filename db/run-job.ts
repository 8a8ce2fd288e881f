import type { Sql } from "postgres";
import type { Reader } from "./queries/call-filter.ts";

export interface Job {
  name: string;
  /** Who runs it, for people who look at the table. */
  holder: string;
  /** After so long without an end the holder is taken for dead. */
  leaseMs: number;
}

/** One holding of a job. Whoever takes the job next gets a higher number. */
export interface Fence {
  job: string;
  number: number;
}

/**
 * Runs a job unless somebody else holds it; false: somebody does. A holder that outlives its lease can lose the job while it
 * works, so every write of the job asks `whileHeld` in the same statement. An error of the work is thrown, and the job let go.
 */
export async function runJob(sql: Sql, job: Job, work: (fence: Fence) => Promise<unknown>): Promise<boolean> {
  const fence = await takeJob(sql, job);
  if (!fence) return false;
  try {
    await work(fence);
  } catch (error) {
    // When the database is away the lease runs out by itself; the first error is the one to tell.
    await releaseJob(sql, fence, false).catch(() => {});
    throw error;
  }
  await releaseJob(sql, fence, true);
  return true;
}

/**
 * SQL: one row while the job is held, else none. The row stays locked until the statement's transaction ends, so nobody takes
 * the job between the question and the write.
 */
export const whileHeld = (sql: Reader, { job, number }: Fence) => sql`
  select 1 from jobs where name = ${job} and fence = ${number} and locked_until is not null for share`;

/** One statement: of two that come at once, the second waits for the first and then finds the row taken. */
async function takeJob(sql: Sql, { name, holder, leaseMs }: Job): Promise<Fence | null> {
  const [row] = await sql<{ number: number }[]>`
    insert into jobs as j (name, locked_by, locked_until, fence)
    values (${name}, ${holder}, now() + ${leaseMs}::float8 * interval '1 millisecond', 1)
    on conflict (name) do update set
      locked_by = excluded.locked_by, locked_until = excluded.locked_until, fence = j.fence + 1
    where j.locked_until is null or j.locked_until < now()
    returning fence as number`;
  return row ? { job: name, number: row.number } : null;
}

async function releaseJob(sql: Sql, { job, number }: Fence, finished: boolean): Promise<void> {
  await sql`
    update jobs set
      locked_by = null, locked_until = null,
      last_finished_at = case when ${finished} then now() else last_finished_at end
    where name = ${job} and fence = ${number}`;
}
