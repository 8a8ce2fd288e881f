import { sql } from "drizzle-orm";
import {
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { SESSION_ENDS, SESSION_KINDS, SESSION_TRANSPORTS, type Session, TURN_KINDS } from "#lib/session.ts";
import { bytea, count, instant, listed } from "./columns.ts";

/**
 * One row per WebSocket that was opened (lib/session.ts says what the columns mean). Written when something was completed in it, and when it
 * ends. Partitioned by id like `calls`; its responses are calls with this `parent_id`.
 */
export const sessions = pgTable(
  "sessions",
  {
    id: uuid().primaryKey(),
    projectId: text().notNull(),
    environment: text().notNull(),
    upstream: text().notNull(),
    decoderVersion: integer().notNull(),
    spool: text().notNull(),
    kind: text().notNull(),
    transport: text().notNull(),
    providerId: text(),
    providerCallId: text(),
    model: text(),
    feature: text(),
    customer: text(),
    endUser: text(),
    session: text(),
    /** The session that it goes on with: the same name, begun at most ten minutes after that one fell silent (db/record-sessions.ts). null: none is known. */
    resumedFrom: uuid(),
    release: text(),
    tags: jsonb().notNull().$type<Record<string, string>>(),
    startedAt: instant().notNull(),
    recordedAt: instant().notNull().defaultNow(),
    expiresAt: instant(),
    endedAt: instant(),
    endReason: text(),
    closeCode: integer(),
    audioInMs: doublePrecision(),
    audioOutMs: doublePrecision(),
    turns: integer().notNull(),
    idleMs: doublePrecision(),
    toolCalls: integer().notNull(),
    bargeIns: integer().notNull(),
    falseBargeIns: integer().notNull(),
    wastedMs: doublePrecision().notNull(),
    wastedUsd: numeric(),
    errors: integer().notNull(),
    rateLimits: jsonb().notNull().$type<Session["rateLimits"]>(),
    rateLimitEvents: integer().notNull(),
    clientBytes: count().notNull(),
    serverBytes: count().notNull(),
    clientMessages: count().notNull(),
    serverMessages: count().notNull(),
    problems: text().array().notNull(),
  },
  (t) => [
    index("sessions_named").on(t.session, t.id).where(sql`${t.session} is not null`),
    check("sessions_kind", sql`${t.kind} in (${listed(SESSION_KINDS)})`),
    check("sessions_transport", sql`${t.transport} in (${listed(SESSION_TRANSPORTS)})`),
    check("sessions_end", sql`${t.endReason} in (${listed(SESSION_ENDS)})`),
  ],
);

/** What was said in a session and what came back (lib/session.ts). Partitioned by the session's id. */
export const turns = pgTable(
  "turns",
  {
    sessionId: uuid().notNull(),
    index: integer().notNull(),
    callId: uuid(),
    kind: text().notNull(),
    inputStartMs: doublePrecision(),
    inputEndMs: doublePrecision(),
    createdMs: doublePrecision(),
    firstTextMs: doublePrecision(),
    firstAudioMs: doublePrecision(),
    doneMs: doublePrecision(),
    latencyMs: doublePrecision(),
    toolCalls: integer().notNull(),
    modelMs: doublePrecision(),
    toolMs: doublePrecision(),
    audioMs: doublePrecision(),
    generationMs: doublePrecision(),
    bargeIn: text(),
    bargeInMs: doublePrecision(),
    heardMs: doublePrecision(),
    wastedMs: doublePrecision(),
    wastedUsd: numeric(),
    reactionMs: doublePrecision(),
    status: text(),
    reason: text(),
    problems: text().array().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.sessionId, t.index] }),
    index("turns_call").on(t.callId).where(sql`${t.callId} is not null`),
    check("turns_kind", sql`${t.kind} in (${listed(TURN_KINDS)})`),
    check("turns_barge_in", sql`${t.bargeIn} in ('confirmed', 'false')`),
    check("turns_heard_and_wasted", sql`${t.heardMs} >= 0 and ${t.wastedMs} >= 0`),
  ],
);

/** Audio that somebody asked to keep, sealed. Partitioned by day like `payloads`, and kept as long. */
export const media = pgTable(
  "media",
  {
    callId: uuid().notNull(),
    index: integer().notNull(),
    direction: text().notNull(),
    mediaType: text().notNull(),
    bytes: count().notNull(),
    sealed: bytea().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.callId, t.index] }),
    check("media_direction", sql`${t.direction} in ('input', 'output')`),
  ],
);
