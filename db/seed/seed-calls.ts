import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";
import { claimOf } from "../count-once.ts";
import { foldDays } from "../fold-days.ts";
import { foldRatings } from "../fold-ratings.ts";
import { ensurePartitions, partitionOf, uuid7Floor } from "../partitions.ts";
import { objectsOf } from "../provider-objects.ts";
import { rateDay } from "../rate-calls.ts";
import { recordChanges } from "../record-changes.ts";
import { type SessionPlan, sessionRow, turnRow } from "../record-sessions.ts";
import { rollUpCalls } from "../rollup-calls.ts";
import { rollUpLatency } from "../rollup-latency.ts";
import { rollUpSpend } from "../rollup-spend.ts";
import { callRow, feedbackRow, quoted, toolCallRows, usageLineRows } from "../rows.ts";
import { type CopyWriter, copyRows, type Row } from "./copy-rows.ts";

/** Calls of one UTC day; the days come in their order. */
export interface SeedBatch {
  /** Milliseconds since the epoch. */
  readonly dayMs: number;
  readonly calls: readonly Call[];
  /** `callId` null: of a call that is not there, or of a session. */
  readonly feedback: readonly { readonly feedback: Feedback; readonly callId: string | null }[];
  /** Sealed content of some of the calls. */
  readonly contents: readonly SeedContent[];
  /** That began on this day. */
  readonly sessions: readonly SessionPlan["stored"][number][];
}

export interface SeedContent {
  readonly call: Call;
  readonly payload: { sealed: Buffer; redactions: Record<string, number> } | null;
  /** The first words of the instructions, sealed; null: known already. */
  readonly words: Buffer | null;
}

const DAY_MS = 86_400_000;
/** What a call takes from its start to the store, about. */
const RECORDED_AFTER_MS = 1500;

/** How many connections `sql` should have: one per table that is filled, one for the rest. */
export const SEED_CONNECTIONS = 10;

/**
 * Stores calls that never went through a spool, by COPY and day by day: rows, then changes and rollups of the day by the
 * definitions that the recorder uses. What is held at a time is a batch. `spool` is what the calls name as theirs, and no call that
 * is stored already does. Ids that are stored already are an error of the database (23505).
 */
export async function seedCalls(
  sql: Sql,
  spool: string,
  batches: AsyncIterable<SeedBatch>,
  onDay?: (dayMs: number, calls: number) => void,
): Promise<void> {
  let day: Day | null = null;
  let finishing: Promise<void> = Promise.resolve();
  const days = new Set<number>();
  // Rollups of a day are made while the next one is written.
  const finish = async (ended: Day) => {
    await ended.end();
    await finishing;
    finishing = completeDay(sql, spool, ended).then(() => onDay?.(ended.dayMs, ended.count()));
    finishing.catch(() => {});
  };
  try {
    for await (const batch of batches) {
      if (day && day.dayMs !== batch.dayMs) await finish(day);
      if (day?.dayMs !== batch.dayMs) day = await beginDay(sql, batch.dayMs);
      days.add(batch.dayMs);
      await day.write(batch);
    }
    if (day) await finish(day);
    await finishing;
  } catch (error) {
    day?.abort(error as Error);
    throw error;
  }
  // What is said of a day comes on later ones too, and sessions go on.
  await sql`analyze feedback (id, call_id, target_kind, target_id)`;
  for (const dayMs of days) await sql.unsafe(["set jit = off", ...rateDay(dayMs)].join(";\n"));
  while ((await foldDays(sql, Date.now())) > 0);
  while ((await foldRatings(sql, Date.now())) > 0);
  await sql.unsafe(ANALYZE);
}

/** What pages filter and join by; all columns of a table this wide would take longer than the rows did. */
const ANALYZE = `
  analyze calls (id, started_at, environment, feature, customer, template, template_version, model, outcome, session, booked_on),
    usage_lines (call_id, booked_on, cost_usd), tool_calls, provider_objects, sessions, turns, feedback, ratings, ratings_sums, rollup_attributed, rollup_calls, rollup_latency, rollup_latency_days, rollup_spend, rollup_spend_days, rollup_spend_upto`;

interface Day {
  readonly dayMs: number;
  count(): number;
  write(batch: SeedBatch): Promise<void>;
  end(): Promise<void>;
  abort(error: Error): void;
}

const TABLES = [
  "calls",
  "usage_lines",
  "tool_calls",
  "provider_objects",
  "payloads",
  "instructions",
  "feedback",
  "sessions",
  "turns",
] as const;
type Table = (typeof TABLES)[number];

async function beginDay(sql: Sql, dayMs: number): Promise<Day> {
  await ensurePartitions(sql, dayMs, dayMs);
  const writers = new Map<Table, CopyWriter>(TABLES.map((table) => [table, copyRows(sql, table)]));
  const each = (work: (writer: CopyWriter, table: Table) => unknown) =>
    Promise.all([...writers].map(([table, writer]) => work(writer, table)));
  const date = new Date(dayMs).toISOString().slice(0, 10);
  let count = 0;
  return {
    dayMs,
    count: () => count,
    async write(batch) {
      count += batch.calls.length;
      const rows = rowsOf(batch, date);
      await each((writer, table) => writer.write(rows[table]));
    },
    async end() {
      await each((writer) => writer.end());
    },
    abort: (error) => void each((writer) => writer.abort(error)),
  };
}

function rowsOf({ calls, feedback, contents, sessions }: SeedBatch, date: string): Record<Table, Row[]> {
  return {
    calls: calls.map((call) => callRow(call, new Date(call.startedAt + RECORDED_AFTER_MS).toISOString(), null)),
    usage_lines: calls.flatMap((call) => usageLineRows(call, date)),
    tool_calls: calls.flatMap((call) => toolCallRows(call)),
    provider_objects: calls.flatMap(objectRows),
    payloads: contents.flatMap(({ call, payload }) => (payload ? [{ call_id: call.id, ...payload }] : [])),
    instructions: contents.flatMap(wordsRows),
    feedback: feedback.map(wordRow),
    sessions: sessions.map((one) =>
      sessionRow(one, new Date((one.session.endedAt ?? one.session.startedAt) + RECORDED_AFTER_MS).toISOString()),
    ),
    turns: sessions.flatMap(({ turns }) => turns.map(turnRow)),
  };
}

/** What the call made, and whose usage it is the first to bring. */
function objectRows(call: Call): Row[] {
  const claim = claimOf(call);
  const owned = objectsOf(call).map((name) => ({ ...name, callId: call.id }));
  // A batch names itself twice.
  const byId = new Map([...owned, ...(claim ? [claim] : [])].map((one) => [one.objectId, one]));
  return [...byId.values()].map(({ projectId, upstream, objectId, callId }) => ({
    project_id: projectId,
    upstream,
    object_id: objectId,
    call_id: callId,
  }));
}

const wordsRows = ({ call, words }: SeedContent): Row[] =>
  words === null
    ? []
    : [{ project_id: call.projectId, unit_hash: call.unitHash, sealed: words, first_call_id: call.id }];

function wordRow({ feedback, callId }: SeedBatch["feedback"][number]): Row {
  const row = feedbackRow(feedback, "default");
  return {
    ...row,
    call_id: callId,
    matched_at: callId !== null || feedback.target.kind === "session" ? row.received_at : null,
  };
}

/** Planning takes longer than a small day; the limit of values per bucket is looked up among all the rows of a piece. */
const PIECE_CALLS = 20_000;
/** A piece is whole buckets. */
const PIECES_MAX = 8;

async function completeDay(sql: Sql, spool: string, { dayMs, count }: Day): Promise<void> {
  // Of a partition that was just begun the planner thinks that it is empty, and reads all of it once per call.
  await sql.unsafe(
    `analyze ${partitionOf("calls", dayMs)} (id, spool), ${partitionOf("usage_lines", dayMs)} (call_id, booked_on)`,
  );
  const pieces = 2 ** Math.floor(Math.log2(Math.min(PIECES_MAX, 1 + count() / PIECE_CALLS)));
  const pieceMs = DAY_MS / pieces;
  for (let fromMs = dayMs; fromMs < dayMs + DAY_MS; fromMs += pieceMs) {
    const [from, to] = [uuid7Floor(fromMs), uuid7Floor(fromMs + pieceMs)];
    const calls = (id: string) => `${id} >= '${from}' and ${id} < '${to}' and spool = ${quoted(spool)}`;
    const lines = `${calls("c.id")} and l.call_id >= '${from}' and l.call_id < '${to}'`;
    // One message, one implicit transaction: see record-batch.ts. To compile such a statement takes longer than to run it.
    await sql.unsafe(
      [
        "set jit = off",
        recordChanges(calls("id")),
        rollUpCalls(calls("id")),
        rollUpLatency(calls("id")),
        rollUpSpend({ calls: [calls("c.id")], lines: [lines], again: null }),
      ].join(";\n"),
    );
  }
}
