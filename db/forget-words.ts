import type { Sql } from "postgres";
import { dayOf } from "./booking.ts";
import { uuid7Floor } from "./partitions.ts";
import { RATINGS_LOCK, rateWords, unfoldDaysOf } from "./rate-calls.ts";
import { OTHER } from "./rollup-limit.ts";

/** Rows changed in one transaction: nobody waits for long. */
const CHUNK = 2000;
const FORGOTTEN = "words_forgotten";

/**
 * Takes away what was said beside calls before a moment (milliseconds, the beginning of a UTC day): comments and corrections of
 * feedback, whose ratings stay, and the first words of instructions that no call since has had. Once for each such moment.
 */
export async function forgetWords(sql: Sql, beforeMs: number): Promise<void> {
  const day = dayOf(beforeMs);
  const [done] = await sql`select from settings where name = ${FORGOTTEN} and value #>> '{}' >= ${day}`;
  if (done) return;
  await forgetComments(sql, beforeMs);
  await forgetInstructions(sql, beforeMs);
  await sql`
    insert into settings (name, value) values (${FORGOTTEN}, to_jsonb(${day}::text))
    on conflict (name) do update set value = excluded.value`;
}

async function forgetComments(sql: Sql, beforeMs: number): Promise<void> {
  const before = new Date(beforeMs).toISOString();
  for (let last = uuid7Floor(0); ; ) {
    const rows = await sql<{ id: string }[]>`
      select id from feedback
      where id > ${last} and received_at < ${before} and (comment is not null or correction is not null)
      order by id limit ${CHUNK}`;
    if (rows.length === 0) return;
    last = rows.at(-1)?.id as string;
    const ids = `= any('{${rows.map(({ id }) => id).join(",")}}'::uuid[])`;
    await sql.unsafe(
      [
        // Before the words, as who matches them does.
        `select ${RATINGS_LOCK}`,
        `update feedback set comment = null, correction = null where id ${ids}`,
        ...rateWords(ids),
        // Those of calls that are no longer kept are not made anew.
        `with changed as (
           update ratings set has_comment = false, has_correction = false
           where word_id ${ids} and (has_comment or has_correction)
           returning started_at
         )
         ${unfoldDaysOf("changed")}`,
      ].join(";\n"),
    );
  }
}

/** `rollup_spend` knows which hashes were seen since, unless there were too many to be told apart: then all stay. */
async function forgetInstructions(sql: Sql, beforeMs: number): Promise<void> {
  const since = new Date(beforeMs).toISOString();
  await sql`
    delete from instructions i
    where first_call_id < ${uuid7Floor(beforeMs)}
      and not exists (
        select from rollup_spend r where r.project_id = i.project_id and r.bucket >= ${since} and r.unit_hash = i.unit_hash
      )
      and not exists (
        select from rollup_spend r where r.project_id = i.project_id and r.bucket >= ${since} and r.unit_hash = ${OTHER}
      )`;
}
