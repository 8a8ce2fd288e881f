import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";
import { findRefused } from "./find-refused.ts";
import { ensurePartitions } from "./partitions.ts";
import {
  codeOf,
  guardMonths,
  isDataError,
  isOvertaken,
  type Plan,
  planCalls,
  without,
  writePlanned,
} from "./plan-calls.ts";
import { preparedFor } from "./prepare-calls.ts";
import { planSessions, type RecordedSession, type SessionPlan, writeSessions } from "./record-sessions.ts";
import { feedbackRow, insertRows, quoted, quotedJson } from "./rows.ts";
import { addRunCounts, NO_COUNTS, type RunCounts } from "./run-counts.ts";
import { aheadReason, insertSetAside, isAhead, type SetAside } from "./set-aside.ts";
import type { RecordedCall } from "./stored-calls.ts";

export interface SpoolPlace {
  segment: number;
  offset: number;
}

/** What one stretch of a spool holds, and where the stretch ends. Stored whole or not at all. */
export interface RecordBatch {
  spool: string;
  /** Must still be ours: see db/spool-lease.ts. */
  lease: string;
  /** Where the stretch begins: must be where the store says the last one ended. */
  from: SpoolPlace;
  low: SpoolPlace;
  high: SpoolPlace;
  /** The run being read at `high`. */
  run: string;
  /** Counts of the runs read in this stretch. */
  runs: ReadonlyMap<string, RunCounts>;
  calls: RecordedCall[];
  /** Of this spool: written anew as they stand, with turns that are new. */
  sessions?: RecordedSession[];
  /** Exchanges that could not be decoded. */
  undecoded?: SetAside[];
  feedback: Feedback[];
  /** All that is carried for this spool, null where the row stays as it is; undefined = unchanged. */
  carried?: { run: string; seq: number; sealed: Buffer | null }[];
  /** Seals a call for `set_aside`. Called only for calls that the database refuses. */
  sealForSetAside: (call: Call) => Buffer;
}

/** The lease is somebody else's now, or the position moved: stop, and start again from what the store says. */
export class LeaseLost extends Error {
  readonly code = "lease_lost";
}

const DAY_MS = 86_400_000;
/** Days whose partitions are known to exist, per pool. */
const partitionsMade = new WeakMap<Sql, Set<number>>();

/**
 * Stores a batch together with the position behind it, all or nothing: that is what makes every call stored exactly once. A
 * call that is stored already is left alone, or replaced when an older decoder had read it. A call that the database
 * refuses is set aside, and the rest is stored.
 *
 * The whole batch is one message of several statements, which Postgres runs as one transaction. A transaction over several
 * messages would not do: when its connection is lost between two of them, postgres.js sends the rest on a new one,
 * outside of any transaction.
 * @throws LeaseLost, or the database's error (nothing is stored then; try again).
 */
export async function recordBatch(sql: Sql, given: RecordBatch): Promise<{ stored: number; setAside: number }> {
  const nowMs = Date.now();
  const batch = withoutAhead(given, nowMs);
  const sessionsGiven = batch.sessions ?? [];
  await makePartitions(sql, [
    ...batch.calls.map(({ call }) => call.startedAt),
    ...sessionsGiven.flatMap(({ session }) => (isAhead(session, nowMs) ? [] : [session.startedAt])),
  ]);
  // Nobody else writes these calls while the lease is ours, and the guard below sees to that.
  const plan = await planCalls(sql, batch.calls);
  const sessions = await planSessions(sql, sessionsGiven, plan.kept, nowMs);
  const undecoded = batch.undecoded ?? [];
  try {
    await run(sql, write(batch, plan, sessions, undecoded));
    return countsOf(batch, plan, undecoded);
  } catch (error) {
    if (await isOvertaken(sql, error, plan)) return recordBatch(sql, batch);
    if (!isDataError(error)) throw error;
    const found = await findRefused((of, statements) => run(sql, [guard(batch, of), ...statements]), plan, sessions);
    const aside = [...undecoded, ...found.refused.map(({ one, error: why }) => refusal(batch, one.call, why))];
    const good = without(found.plan, new Set(aside.map(({ id }) => id)));
    try {
      await run(sql, write(batch, good, found.sessions, aside));
      return countsOf(batch, good, aside);
    } catch (late) {
      if (!isDataError(late) || good.fresh.length === 0) throw late;
      // None of them alone is at fault, and yet they cannot be stored together: the spool must go on.
      return await setAllAside(sql, batch, { ...plan, restated: [] }, found.sessions, late as Error);
    }
  }
}

async function setAllAside(sql: Sql, batch: RecordBatch, plan: Plan, sessions: SessionPlan, error: Error) {
  const all = plan.fresh.map(({ call }) => refusal(batch, call, error));
  const aside = [...(batch.undecoded ?? []), ...all];
  const none = without(plan, new Set(all.map(({ id }) => id)));
  await run(sql, write(batch, none, sessions, aside));
  return countsOf(batch, none, aside);
}

const refusal = (batch: RecordBatch, call: Call, { message }: { message: string }): SetAside => ({
  id: call.id,
  origin: call.origin,
  reason: message,
  sealed: batch.sealForSetAside(call),
  isChild: call.parentId !== null,
});

/** Calls of sealed days are neither: they are counted as dropped (db/run-counts.ts). */
function countsOf({ calls }: RecordBatch, { expired }: Plan, aside: readonly SetAside[]) {
  const isAside = new Set(aside.map(({ id }) => id));
  const stored = calls.filter(({ call }) => !isAside.has(call.id) && !expired.has(call.id)).length;
  return { stored, setAside: aside.length };
}

/** Calls from the future are set aside: on their day they can be stored, and no partition is made for a day that may never come. */
function withoutAhead(batch: RecordBatch, nowMs: number): RecordBatch {
  const ahead = batch.calls
    .filter(({ call }) => isAhead(call, nowMs))
    .map(({ call }) => refusal(batch, call, { message: aheadReason(call) }));
  if (ahead.length === 0) return batch;
  return {
    ...batch,
    calls: batch.calls.filter(({ call }) => !isAhead(call, nowMs)),
    undecoded: [...(batch.undecoded ?? []), ...ahead],
  };
}

const LEASE_LOST = "OMLL1";

async function run(sql: Sql, statements: string[]): Promise<void> {
  try {
    await sql.unsafe(statements.join(";\n"));
  } catch (error) {
    if (codeOf(error) === LEASE_LOST) throw new LeaseLost((error as Error).message);
    throw error;
  }
}

function write(batch: RecordBatch, plan: Plan, sessions: SessionPlan, refused: SetAside[]): string[] {
  const { low, high } = batch;
  return [
    guard(batch, plan),
    ...writePlanned(plan, plan.stale.length === 0 ? preparedFor(batch.calls, plan.fresh) : null),
    ...writeSessions(sessions.stored),
    ...(refused.length ? [insertSetAside(refused)] : []),
    ...(batch.feedback.length ? [insertFeedback(batch.feedback, plan)] : []),
    ...(batch.carried ? replaceCarried(batch.spool, batch.carried) : []),
    ...addRunCounts(batch, refused, plan.expired, sessions),
    `update spool_positions set
       low_segment = ${low.segment}, low_offset = ${low.offset}, high_segment = ${high.segment}, high_offset = ${high.offset},
       run = ${quoted(batch.run)}, totals = ${quotedJson(batch.runs.get(batch.run) ?? NO_COUNTS)}::jsonb,
       leased_until = now() + interval '15 seconds', updated_at = now()
     where spool = ${quoted(batch.spool)}`,
  ];
}

/** Locks the position; without the lease, or behind another batch, nothing of this message happens. */
const guard = ({ spool, lease, from }: RecordBatch, plan: Plan): string => `
  ${guardMonths(plan)};
  do $guard$ begin
    perform 1 from spool_positions
    where spool = ${quoted(spool)} and lease = ${quoted(lease)}
      and high_segment = ${from.segment} and high_offset = ${from.offset}
    for update;
    if not found then raise exception 'this spool is no longer ours' using errcode = '${LEASE_LOST}'; end if;
  end $guard$`;

/** What somebody wrote is content: when it comes later than content is kept, only how they rated is. */
const insertFeedback = (feedback: Feedback[], { kept }: Plan): string => {
  const isForgotten = ({ receivedAtMs }: Feedback) => receivedAtMs < (kept.contentFromMs ?? 0);
  const words = feedback.map((one) => (isForgotten(one) ? { ...one, comment: null, correction: null } : one));
  return `${insertRows(
    "feedback",
    words.map((one) => feedbackRow(one, "default")),
  )} on conflict do nothing`;
};

function replaceCarried(spool: string, carried: NonNullable<RecordBatch["carried"]>): string[] {
  const stay = carried.filter(({ sealed }) => sealed === null).map(({ run: life, seq }) => `(${quoted(life)}, ${seq})`);
  return [
    `delete from spool_carried where spool = ${quoted(spool)}${stay.length ? ` and (run, seq) not in (${stay.join(", ")})` : ""}`,
    ...carried.flatMap(({ run: life, seq, sealed }) =>
      sealed
        ? [
            `insert into spool_carried (spool, run, seq, sealed)
             values (${quoted(spool)}, ${quoted(life)}, ${seq}, '\\x${sealed.toString("hex")}')`,
          ]
        : [],
    ),
  ];
}

/** For what began at these moments (milliseconds). */
async function makePartitions(sql: Sql, begins: readonly number[]) {
  if (begins.length === 0) return;
  const made = partitionsMade.get(sql) ?? new Set();
  partitionsMade.set(sql, made);
  // Day by day, and only days that have something: a clock that jumped must not make a partition for all the time between.
  const days = new Set(begins.map((ms) => Math.floor(ms / DAY_MS)));
  for (const day of days) {
    if (made.has(day)) continue;
    await ensurePartitions(sql, day * DAY_MS, day * DAY_MS);
    made.add(day);
  }
}
