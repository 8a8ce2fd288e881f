import type { Sql } from "postgres";
import type { Session, Turn } from "#lib/session.ts";
import { uuid7Floor } from "./partitions.ts";
import { insertRows } from "./rows.ts";
import type { Kept } from "./sealed.ts";
import { isAhead } from "./set-aside.ts";

/** A session as it stands after a stretch of its spool, with the turns that are new there. */
export interface RecordedSession {
  origin: { spool: string; run: string; seq: number };
  session: Session;
  turns: Turn[];
  /** It is over: it counts as stored in the equation. */
  ended: boolean;
}

/** What storing some sessions does. Those of sealed days, and those that the database refuses, are only counted. */
export interface SessionPlan {
  stored: (RecordedSession & { resumedFrom: string | null })[];
  expired: RecordedSession[];
  refused: RecordedSession[];
}

/** A session that begins so soon after one of the same name went silent goes on with it. */
const RESUMES_MS = 600_000;
/** No provider lets a session live for longer. */
const LIVES_MS = 86_400_000;

export async function planSessions(
  sql: Sql,
  given: readonly RecordedSession[],
  { factsFromMs }: Kept,
  nowMs: number,
): Promise<SessionPlan> {
  const all = lastOfEach(given);
  const isExpired = ({ session }: RecordedSession) => factsFromMs !== null && session.startedAt < factsFromMs;
  const kept = all.filter((one) => !isExpired(one) && !isAhead(one.session, nowMs));
  const earlier = [...(await heardBefore(sql, kept)), ...kept.map(heardHere)];
  return {
    stored: kept.map((one) => ({ ...one, resumedFrom: resumedBy(one.session, earlier) })),
    expired: all.filter(isExpired),
    // No partition is made for a day that may never come.
    refused: all.filter((one) => isAhead(one.session, nowMs)),
  };
}

/** One row may be written once in a statement. */
function lastOfEach(given: readonly RecordedSession[]): RecordedSession[] {
  const byId = new Map<string, RecordedSession>();
  for (const one of given) {
    const before = byId.get(one.session.id);
    byId.set(one.session.id, before ? { ...one, turns: [...before.turns, ...one.turns] } : one);
  }
  return [...byId.values()];
}

/** A session, and when it was last heard: its end, or its last answer (milliseconds since the epoch). */
interface Heard {
  id: string;
  projectId: string;
  name: string | null;
  endedAt: number | null;
  lastAt: number;
}

const heardHere = ({ session, turns }: RecordedSession): Heard => ({
  id: session.id,
  projectId: session.projectId,
  name: session.session,
  endedAt: session.endedAt,
  lastAt: session.startedAt + Math.max(0, ...turns.map(({ doneMs }) => doneMs ?? 0)),
});

/** The newest of them that was silent when this one began, and not for long. An end that came late, because nobody noticed, is no sign of life. */
function resumedBy({ id, projectId, session, startedAt }: Session, earlier: readonly Heard[]): string | null {
  const found = earlier
    .filter((one) => session !== null && one.name === session && one.projectId === projectId && one.id < id)
    .filter(({ endedAt, lastAt }) => {
      const heardAt = endedAt !== null && endedAt <= startedAt ? endedAt : lastAt;
      return heardAt <= startedAt && heardAt >= startedAt - RESUMES_MS;
    });
  return found.reduce<string | null>((newest, one) => (newest === null || one.id > newest ? one.id : newest), null);
}

async function heardBefore(sql: Sql, given: readonly RecordedSession[]): Promise<Heard[]> {
  const named = given.flatMap(({ session }) => (session.session === null ? [] : [session]));
  if (named.length === 0) return [];
  const fromMs = Math.min(...named.map(({ startedAt }) => startedAt)) - LIVES_MS;
  const toMs = Math.max(...named.map(({ startedAt }) => startedAt)) + 1;
  return sql<Heard[]>`
    select
      s.id, s.project_id as "projectId", s.session as name,
      (extract(epoch from s.ended_at) * 1000)::float8 as "endedAt",
      (extract(epoch from s.started_at) * 1000 + coalesce(max(t.done_ms), 0))::float8 as "lastAt"
    from sessions s left join turns t
      on t.session_id = s.id and t.session_id >= ${uuid7Floor(fromMs)}::uuid and t.session_id < ${uuid7Floor(toMs)}::uuid
    where s.session = any(${[...new Set(named.map(({ session }) => session))]}::text[])
      and s.id >= ${uuid7Floor(fromMs)}::uuid and s.id < ${uuid7Floor(toMs)}::uuid
      and s.id <> all(${given.map(({ session }) => session.id)}::uuid[])
    group by s.id`;
}

/** SQL that writes them: sessions anew as they stand, of turns those that are not there yet. */
export function writeSessions(stored: SessionPlan["stored"]): string[] {
  if (stored.length === 0) return [];
  const recordedAt = new Date().toISOString();
  const rows = stored.map((one) => sessionRow(one, recordedAt));
  const turns = stored.flatMap((one) => one.turns.map(turnRow));
  const columns = Object.keys(rows[0] as object).filter((name) => !["id", "resumed_from"].includes(name));
  return [
    `${insertRows("sessions", rows)}
     on conflict (id) do update set
       ${columns.map((name) => `${name} = excluded.${name}`).join(", ")},
       resumed_from = coalesce(sessions.resumed_from, excluded.resumed_from)`,
    ...(turns.length ? [`${insertRows("turns", turns)} on conflict do nothing`] : []),
  ];
}

/** What is left of a session when the database refuses the rest: that it was there, for whom, and how long. */
export const barely = (one: SessionPlan["stored"][number]): SessionPlan["stored"][number] => ({
  ...one,
  turns: [],
  session: {
    ...one.session,
    expiresAt: null,
    closeCode: null,
    audioInMs: null,
    audioOutMs: null,
    idleMs: null,
    wastedMs: 0,
    wastedUsd: null,
    rateLimits: {},
    tags: {},
    problems: ["session_refused"],
  },
});

/** Columns of `sessions`: one key per column. */
export const sessionRow = (
  { session: s, origin, resumedFrom }: SessionPlan["stored"][number],
  recordedAt: string,
): Record<string, unknown> => ({
  id: s.id,
  project_id: s.projectId,
  environment: s.environment,
  upstream: s.upstream,
  decoder_version: s.decoderVersion,
  spool: origin.spool,
  kind: s.kind,
  transport: s.transport,
  provider_id: s.providerId,
  provider_call_id: s.providerCallId,
  model: s.model,
  feature: s.feature,
  customer: s.customer,
  end_user: s.endUser,
  session: s.session,
  resumed_from: resumedFrom,
  release: s.release,
  tags: s.tags,
  started_at: instant(s.startedAt),
  recorded_at: recordedAt,
  expires_at: s.expiresAt === null ? null : instant(s.expiresAt),
  ended_at: s.endedAt === null ? null : instant(s.endedAt),
  end_reason: s.endReason,
  close_code: s.closeCode,
  audio_in_ms: s.audioInMs,
  audio_out_ms: s.audioOutMs,
  turns: s.turns,
  idle_ms: s.idleMs,
  tool_calls: s.toolCalls,
  barge_ins: s.bargeIns,
  false_barge_ins: s.falseBargeIns,
  wasted_ms: s.wastedMs,
  wasted_usd: s.wastedUsd,
  errors: s.errors,
  rate_limits: s.rateLimits,
  rate_limit_events: s.rateLimitEvents,
  client_bytes: s.clientBytes,
  server_bytes: s.serverBytes,
  client_messages: s.clientMessages,
  server_messages: s.serverMessages,
  problems: s.problems,
});

/** Columns of `turns`. */
export const turnRow = (t: Turn): Record<string, unknown> => ({
  session_id: t.sessionId,
  index: t.index,
  call_id: t.callId,
  kind: t.kind,
  input_start_ms: t.inputStartMs,
  input_end_ms: t.inputEndMs,
  created_ms: t.createdMs,
  first_text_ms: t.firstTextMs,
  first_audio_ms: t.firstAudioMs,
  done_ms: t.doneMs,
  latency_ms: t.latencyMs,
  tool_calls: t.toolCalls,
  model_ms: t.modelMs,
  tool_ms: t.toolMs,
  audio_ms: t.audioMs,
  generation_ms: t.generationMs,
  barge_in: t.bargeIn,
  barge_in_ms: t.bargeInMs,
  heard_ms: t.heardMs,
  wasted_ms: t.wastedMs,
  wasted_usd: t.wastedUsd,
  reaction_ms: t.reactionMs,
  status: t.status,
  reason: t.reason,
  problems: t.problems,
});

/** A moment that no calendar has is left to the database to refuse. */
const instant = (ms: number): string => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "no moment" : date.toISOString();
};
