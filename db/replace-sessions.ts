import type { Sql } from "postgres";
import { guardJob } from "./decoded-again.ts";
import { isDataError } from "./plan-calls.ts";
import { planSessions, type RecordedSession, writeSessions } from "./record-sessions.ts";
import { quoted } from "./rows.ts";
import type { Fence } from "./run-job.ts";
import { keptSince } from "./sealed.ts";

export interface ReplacedSessions {
  replaced: number;
  /** Those that the database refuses; what is stored of them stays. */
  refused: { id: string; reason: string }[];
}

/**
 * Sessions that an older decoder had read, written as they are read now, each with all of its turns in one transaction. Those that are
 * not stored, or by this decoder already, are left alone. `dryRun`: counts them only.
 * @throws the database's error, or that the job is somebody else's now
 */
export async function replaceSessions(
  sql: Sql,
  fence: Fence,
  sessions: readonly RecordedSession[],
  dryRun: boolean,
): Promise<ReplacedSessions> {
  const done: ReplacedSessions = { replaced: 0, refused: [] };
  const stale = await staleOf(sql, sessions);
  for (const one of stale) {
    if (!dryRun) {
      const reason = await replaceOne(sql, fence, one);
      if (reason !== null) {
        done.refused.push({ id: one.session.id, reason });
        continue;
      }
    }
    done.replaced++;
  }
  return done;
}

async function staleOf(sql: Sql, sessions: readonly RecordedSession[]): Promise<RecordedSession[]> {
  if (sessions.length === 0) return [];
  const rows = await sql<{ id: string; version: number }[]>`
    select id, decoder_version as version from sessions where id = any(${sessions.map(({ session }) => session.id)}::uuid[])`;
  const versions = new Map(rows.map(({ id, version }) => [id, version]));
  return sessions.filter(
    ({ session }) => (versions.get(session.id) ?? session.decoderVersion) < session.decoderVersion,
  );
}

/** Returns why the database refuses it, or null. */
async function replaceOne(sql: Sql, fence: Fence, one: RecordedSession): Promise<string | null> {
  const { stored } = await planSessions(sql, [one], await keptSince(sql), Date.now());
  if (stored.length === 0) return null;
  const old = `delete from turns where session_id = ${quoted(one.session.id)}::uuid`;
  try {
    await sql.unsafe([guardJob(fence), old, ...writeSessions(stored)].join(";\n"));
    return null;
  } catch (error) {
    if (isDataError(error)) return (error as Error).message;
    throw error;
  }
}
