import { bigint, jsonb, pgTable, primaryKey, smallint, text, uuid } from "drizzle-orm/pg-core";
import { bytea, count, instant } from "./columns.ts";

/**
 * How far a spool is stored. Moves in the same transaction as the rows it covers: that is what makes every call
 * stored exactly once. `low` is where reading must resume (the oldest call still in flight starts there); everything
 * that ended before `high` is stored.
 */
export const spoolPositions = pgTable("spool_positions", {
  spool: text().primaryKey(),
  lowSegment: bigint({ mode: "number" }).notNull(),
  lowOffset: bigint({ mode: "number" }).notNull(),
  highSegment: bigint({ mode: "number" }).notNull(),
  highOffset: bigint({ mode: "number" }).notNull(),
  /** The run being read, and its counts (lib/spool/assembler.ts RunTotals). */
  run: text().notNull(),
  totals: jsonb().notNull().$type<unknown>(),
  lease: text(),
  leasedUntil: instant(),
  updatedAt: instant().notNull().defaultNow(),
});

/**
 * The equation of each run of a proxy worker: accepted = stored + set aside + dropped (by reason) + still in flight. Kept for
 * ever: it is the proof that nothing was lost.
 */
export const spoolRuns = pgTable(
  "spool_runs",
  {
    spool: text().notNull(),
    run: text().notNull(),
    accepted: count().notNull(),
    started: count().notNull(),
    stored: count().notNull(),
    setAside: count().notNull(),
    dropped: jsonb().notNull().$type<Record<string, number>>(),
    atRisk: count().notNull(),
    firstSeenAt: instant().notNull().defaultNow(),
    updatedAt: instant().notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.spool, t.run] })],
);

/** Calls in flight for so long that their first segment could be let go: their frames so far, sealed. */
export const spoolCarried = pgTable(
  "spool_carried",
  {
    spool: text().notNull(),
    run: text().notNull(),
    seq: bigint({ mode: "number" }).notNull(),
    sealed: bytea().notNull(),
  },
  (t) => [primaryKey({ columns: [t.spool, t.run, t.seq] })],
);

/** Exchanges that could not be stored: kept, counted, retryable. */
export const setAside = pgTable("set_aside", {
  id: uuid().primaryKey(),
  spool: text().notNull(),
  run: text().notNull(),
  seq: bigint({ mode: "number" }).notNull(),
  reason: text().notNull(),
  sealed: bytea().notNull(),
  setAsideAt: instant().notNull().defaultNow(),
  /** Somebody asked that it be tried again; the recorder does, and takes this away. */
  retryAskedAt: instant(),
  tries: smallint().notNull().default(0),
  triedAt: instant(),
});

/** One running copy of a job: whoever holds an unexpired row. Works through PgBouncer in transaction mode. */
export const jobs = pgTable("jobs", {
  name: text().primaryKey(),
  lockedBy: text(),
  lockedUntil: instant(),
  fence: bigint({ mode: "number" }).notNull(),
  lastFinishedAt: instant(),
});

/** Small facts about the installation: the highest id sealed, the newest watermark of each recorder, and so on. */
export const settings = pgTable("settings", {
  name: text().primaryKey(),
  value: jsonb().notNull().$type<unknown>(),
});
