import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";
import type { Session, Turn } from "#lib/session.ts";
import { ensurePartitions } from "./partitions.ts";
import {
  codeOf,
  guardMonths,
  isDataError,
  MONTH_CLOSED,
  type Plan,
  planCalls,
  without,
  writePlanned,
} from "./plan-calls.ts";
import { feedbackRow, insertRows, quoted, quotedJson } from "./rows.ts";
import { addRunCounts, NO_COUNTS, type RunCounts } from "./run-counts.ts";
import { aheadReason, insertSetAside, isAhead, type SetAside } from "./set-aside.ts";
import type { RecordedCall } from "./stored-calls.ts";

export interface RecordedSession {
  origin: { spool: string; run: string; seq: number };
  session: Session;
  turns: Turn[];
  /** It is over: counts as stored. */
  ended: boolean;
}

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
  const batch = withoutAhead(given, Date.now());
  await makePartitions(sql, batch.calls);
  // Nobody else writes these calls while the lease is ours, and the guard below sees to that.
  const plan = await planCalls(sql, batch.calls);
  const undecoded = batch.undecoded ?? [];
  try {
    await run(sql, write(batch, plan, undecoded));
    return countsOf(batch, plan, undecoded);
  } catch (error) {
    if (codeOf(error) === MONTH_CLOSED) return recordBatch(sql, batch);
    if (!isDataError(error)) throw error;
    const refused = await findRefused(sql, batch, plan);
    const aside = [...undecoded, ...refused];
    const good = without(plan, new Set(refused.map(({ id }) => id)));
    try {
      await run(sql, write(batch, good, aside));
      return countsOf(batch, good, aside);
    } catch (late) {
      if (!isDataError(late) || good.fresh.length === 0) throw late;
      // None of them alone is at fault, and yet they cannot be stored together: the spool must go on.
      return await setAllAside(sql, batch, plan, late as Error);
    }
  }
}

async function setAllAside(sql: Sql, batch: RecordBatch, plan: Plan, error: Error) {
  const all = plan.fresh.map(({ call }) => refusal(batch, call, error));
  const aside = [...(batch.undecoded ?? []), ...all];
  const none = without(plan, new Set(all.map(({ id }) => id)));
  await run(sql, write(batch, none, aside));
  return countsOf(batch, none, aside);
}

const refusal = (batch: RecordBatch, call: Call, { message }: Error): SetAside => ({
  id: call.id,
  origin: call.origin,
  reason: message,
  sealed: batch.sealForSetAside(call),
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
    .map(
      ({ call }): SetAside => ({
        id: call.id,
        origin: call.origin,
        reason: aheadReason(call),
        sealed: batch.sealForSetAside(call),
      }),
    );
  if (ahead.length === 0) return batch;
  return {
    ...batch,
    calls: batch.calls.filter(({ call }) => !isAhead(call, nowMs)),
    undecoded: [...(batch.undecoded ?? []), ...ahead],
  };
}

const LEASE_LOST = "OMLL1";
const ONLY_TRIED = "OMTRY";

async function run(sql: Sql, statements: string[]): Promise<void> {
  try {
    await sql.unsafe(statements.join(";\n"));
  } catch (error) {
    if (codeOf(error) === LEASE_LOST) throw new LeaseLost((error as Error).message);
    throw error;
  }
}

function write(batch: RecordBatch, plan: Plan, refused: SetAside[]): string[] {
  const { low, high } = batch;
  return [
    guard(batch, plan),
    ...writePlanned(plan),
    ...(refused.length ? [insertSetAside(refused)] : []),
    ...(batch.feedback.length ? [insertFeedback(batch.feedback, plan)] : []),
    ...(batch.carried ? replaceCarried(batch.spool, batch.carried) : []),
    ...addRunCounts(batch, refused, plan.expired),
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

/** The slow way, when the database refused something: halves are tried, in messages that end in an error of their own. */
async function findRefused(sql: Sql, batch: RecordBatch, plan: Plan): Promise<SetAside[]> {
  const error = await tryOut(sql, batch, plan);
  if (!error) return [];
  const [one] = plan.fresh;
  if (plan.fresh.length === 1 && one) {
    return [refusal(batch, one.call, error)];
  }
  const half = plan.fresh.length >> 1;
  const refused: SetAside[] = [];
  for (const fresh of [plan.fresh.slice(0, half), plan.fresh.slice(half)])
    refused.push(...(await findRefused(sql, batch, { ...plan, fresh })));
  return refused;
}

/** What the database has against these calls; null: nothing. */
async function tryOut(sql: Sql, batch: RecordBatch, plan: Plan): Promise<Error | null> {
  const ids = new Set(plan.fresh.map(({ call }) => call.id));
  const alone = { ...plan, stale: plan.stale.filter((id) => ids.has(id)) };
  const undo = `do $undo$ begin raise exception 'only tried' using errcode = '${ONLY_TRIED}'; end $undo$`;
  try {
    await run(sql, [guard(batch, plan), ...writePlanned(alone), undo]);
  } catch (error) {
    if (codeOf(error) === ONLY_TRIED) return null;
    if (isDataError(error)) return error as Error;
    throw error;
  }
  return null;
}

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

async function makePartitions(sql: Sql, calls: RecordedCall[]) {
  if (calls.length === 0) return;
  const made = partitionsMade.get(sql) ?? new Set();
  partitionsMade.set(sql, made);
  // Day by day, and only days that have calls: a clock that jumped must not make a partition for all the time between.
  const days = new Set(calls.map(({ call }) => Math.floor(call.startedAt / DAY_MS)));
  for (const day of days) {
    if (made.has(day)) continue;
    await ensurePartitions(sql, day * DAY_MS, day * DAY_MS);
    made.add(day);
  }
}
