import type { Reader } from "./call-filter.ts";

export interface Word {
  id: string;
  /** null: of a session, or its call is not stored yet. */
  callId: string | null;
  /** What it was said about: the call itself, its response, or the whole session. */
  about: "call" | "response" | "session";
  item: string | null;
  rater: string;
  saidAt: Date;
  rating: "up" | "down" | null;
  score: number | null;
  comment: string | null;
  correction: string | null;
  labels: string[];
  /** The last word of this rater on this target. */
  counts: boolean;
}

/** Everything that was said about a call or its session, newest first, at most `limit`: replaced words too. */
export async function wordsOfCall(
  sql: Reader,
  project: string,
  call: { id: string; session: string | null },
  limit = 100,
): Promise<Word[]> {
  return wordsAbout(
    sql,
    project,
    sql`call_id = ${call.id}::uuid
      ${call.session === null ? sql`` : sql`or (target_kind = 'session' and target_id = ${call.session})`}`,
    limit,
  );
}

/** Everything that was said about a session, under the name that the application gave it, or about one of these calls of it. */
export async function wordsOfSession(
  sql: Reader,
  project: string,
  { session, callIds }: { session: string | null; callIds: readonly string[] },
  limit = 100,
): Promise<Word[]> {
  return wordsAbout(
    sql,
    project,
    sql`call_id = any(${[...callIds]}::uuid[])
      ${session === null ? sql`` : sql`or (target_kind = 'session' and target_id = ${session})`}`,
    limit,
  );
}

function wordsAbout(sql: Reader, project: string, wanted: ReturnType<Reader>, limit: number): Promise<Word[]> {
  return sql<Word[]>`
    select
      id, call_id as "callId", target_kind as about, item, rater, received_at as "saidAt", rating, score, nullif(comment, '') as comment,
      nullif(correction, '') as correction, labels,
      row_number() over (
        partition by target_kind, target_id, item, rater order by received_at desc, id desc
      ) = 1 as counts
    from feedback
    where project_id = ${project}
      and (${wanted})
    order by received_at desc, id desc
    limit ${limit}`;
}
