import type { Sql } from "postgres";
import { mayBeFolded } from "./fold-days.ts";
import { uuid7Floor } from "./partitions.ts";
import { RATABLE } from "./ratable.ts";
import { RATINGS_LOCK } from "./rate-calls.ts";
import { quoted } from "./rows.ts";

const DAY_MS = 86_400_000;
/** A day is summed this long after its end, which is later than `mayBeFolded` says: what is stored in between says so itself. */
const SETTLES_MS = 2 * 3_600_000;
/** At a time; the rest comes the next time. */
const DAYS_MAX = 100;

export const RATINGS_PARTS = ["words", "calls"] as const;
type Part = (typeof RATINGS_PARTS)[number];

/** By what a day's sums can be told apart: what pages filter and group by. */
const DIMENSIONS =
  "environment, endpoint, outcome, feature, customer, template, template_version, unit_hash, request_model, model";

/**
 * Sums `ratings` and the calls that could have been rated into `ratings_sums`, by UTC days that are over, oldest first. Each day is a
 * transaction: who rates meanwhile waits, and finds the day summed. Returns how many it summed.
 */
export async function foldRatings(sql: Sql, nowMs: number): Promise<number> {
  let folded = 0;
  for (const part of RATINGS_PARTS)
    for (const day of await unfolded(sql, part, nowMs)) {
      await sql.unsafe(foldRatingsDay(part, day).join(";\n"));
      folded++;
    }
  return folded;
}

async function unfolded(sql: Sql, part: Part, nowMs: number): Promise<string[]> {
  const until = new Date(nowMs - DAY_MS - SETTLES_MS).toISOString();
  const rows = await sql<{ day: string }[]>`
    select midnight::date::text as day
    from (select started_at from calls order by id limit 1) first
    cross join lateral generate_series(
      date_trunc('day', started_at at time zone 'UTC'), ${until}::timestamptz at time zone 'UTC', interval '1 day'
    ) each (midnight)
    where not exists (select 1 from ratings_folded f where f.part = ${part} and f.day = midnight::date)
    order by 1
    limit ${DAYS_MAX}`;
  return rows.map(({ day }) => day).filter((day) => mayBeFolded(day, nowMs));
}

const WORDS = `
  0, count(distinct call_id) filter (where rating is not null and ${RATABLE}),
  count(*) filter (where rating = 'up'), count(*) filter (where rating = 'down'), count(*) filter (where has_correction)`;
const SAID = "having count(rating) > 0 or bool_or(has_correction)";

/** SQL, several statements: the only definition of `ratings_sums`, what a day (YYYY-MM-DD) comes to. */
export function foldRatingsDay(part: Part, day: string): string[] {
  const fromMs = Date.parse(day);
  const within = (id: string) => `${id} >= '${uuid7Floor(fromMs)}' and ${id} < '${uuid7Floor(fromMs + DAY_MS)}'`;
  const midnight = `'${day}T00:00:00Z'::timestamptz`;
  const into = `insert into ratings_sums (project_id, part, at, ${DIMENSIONS}, calls, rated_calls, up, down, corrections)`;
  const dropped = part === "calls" ? "('calls')" : "('words', 'quarters')";
  return [
    `select ${RATINGS_LOCK}`,
    `delete from ratings_sums
     where part in ${dropped} and at >= ${midnight} and at < ${midnight} + interval '1 day'`,
    ...(part === "calls"
      ? [
          `${into}
           select project_id, 'calls', ${midnight}, ${DIMENSIONS}, count(*), 0, 0, 0, 0
           from calls where ${within("id")} and ${RATABLE} group by project_id, ${DIMENSIONS}`,
        ]
      : [
          `${into}
           select project_id, 'words', ${midnight}, ${DIMENSIONS}, ${WORDS}
           from ratings where ${within("call_id")} group by project_id, ${DIMENSIONS} ${SAID}`,
          `${into}
           select project_id, 'quarters', date_bin('15 minutes', started_at, 'epoch'), ${DIMENSIONS.replaceAll(/\w+/g, "null")}, ${WORDS}
           from ratings where ${within("call_id")} group by 1, 3 ${SAID}`,
        ]),
    `insert into ratings_folded (part, day) values (${quoted(part)}, ${quoted(day)}) on conflict do nothing`,
  ];
}
