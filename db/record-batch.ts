import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";
import { bookingDay, type ClosedPeriod, dayOf } from "./booking.ts";
import { ensurePartitions } from "./partitions.ts";
import { insertRows, quoted, quotedJson } from "./rows.ts";
import { addRunCounts, NO_COUNTS, type RunCounts } from "./run-counts.ts";
import { type BookedCall, dropEmpty, insertCalls, type RecordedCall, takeOut, unfoldTouched } from "./stored-calls.ts";

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
  feedback: Feedback[];
  /** Replaces what is carried for this spool; undefined = unchanged. */
  carried?: { run: string; seq: number; sealed: Buffer }[];
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
export async function recordBatch(sql: Sql, batch: RecordBatch): Promise<{ stored: number; setAside: number }> {
  await makePartitions(sql, batch.calls);
  // Nobody else writes these calls while the lease is ours, and the guard below sees to that.
  const plan = await sortOut(sql, batch.calls);
  try {
    await run(sql, write(batch, plan, []));
    return { stored: batch.calls.length, setAside: 0 };
  } catch (error) {
    if (codeOf(error) === MONTH_CLOSED) return recordBatch(sql, batch);
    if (!isDataError(error)) throw error;
    const refused = await findRefused(sql, batch, plan);
    const isRefused = (id: string) => refused.some(({ call }) => call.id === id);
    // What an older decoder had stored of a refused call stays.
    const good = {
      ...plan,
      fresh: plan.fresh.filter(({ call }) => !isRefused(call.id)),
      stale: plan.stale.filter((id) => !isRefused(id)),
    };
    await run(sql, write(batch, good, refused));
    return { stored: batch.calls.length - refused.length, setAside: refused.length };
  }
}

/** What a batch does to the tables. */
interface Plan {
  /** What is not stored yet. */
  fresh: BookedCall[];
  /** Ids of what an older decoder had stored: taken out and stored anew. */
  stale: string[];
  /** The months that were closed when this was planned. */
  closed: ClosedPeriod[];
}

const LEASE_LOST = "OMLL1";
const ONLY_TRIED = "OMTRY";
/** Finance closed a month between the plan and the write: plan again. */
const MONTH_CLOSED = "OMCLS";

async function run(sql: Sql, statements: string[]): Promise<void> {
  try {
    await sql.unsafe(statements.join(";\n"));
  } catch (error) {
    if (codeOf(error) === LEASE_LOST) throw new LeaseLost((error as Error).message);
    throw error;
  }
}

interface Refused {
  call: Call;
  reason: string;
}

async function sortOut(sql: Sql, calls: RecordedCall[]): Promise<Plan> {
  const closed = await sql<ClosedPeriod[]>`
    select project_id as "projectId", month::text as month from closed_periods order by project_id, month`;
  if (calls.length === 0) return { fresh: [], stale: [], closed };
  const known = await sql<{ id: string; version: number; bookedOn: string | null }[]>`
    select id, decoder_version as version, booked_on::text as "bookedOn"
    from calls where id = any(${calls.map(({ call }) => call.id)}::uuid[])`;
  const stored = new Map(known.map((row) => [row.id, row]));
  const isStale = ({ call }: RecordedCall) =>
    (stored.get(call.id)?.version ?? call.decoderVersion) < call.decoderVersion;
  const fresh = calls
    .filter((one) => !stored.has(one.call.id) || isStale(one))
    .map((one) => {
      const day = dayOf(one.call.startedAt);
      const before = stored.get(one.call.id);
      const callOn = before ? (before.bookedOn ?? day) : bookingDay(day, one.call.projectId, closed);
      return {
        ...one,
        bookedOn: callOn === day ? null : callOn,
        linesOn: bookingDay(callOn, one.call.projectId, closed),
      };
    });
  return { fresh, stale: calls.filter(isStale).map(({ call }) => call.id), closed };
}

function write(batch: RecordBatch, plan: Plan, refused: Refused[]): string[] {
  const { low, high } = batch;
  const { fresh, stale } = plan;
  return [
    guard(batch, plan.closed),
    ...unfoldTouched(fresh),
    ...(stale.length ? takeOut(stale, fresh) : []),
    ...(fresh.length ? insertCalls(fresh, stale) : []),
    ...(stale.length ? dropEmpty(stale, fresh) : []),
    ...refused.map((one) => insertSetAside(one, batch.sealForSetAside)),
    ...(batch.feedback.length ? [insertFeedback(batch.feedback)] : []),
    ...(batch.carried ? replaceCarried(batch.spool, batch.carried) : []),
    ...addRunCounts(batch, new Set(refused.map(({ call }) => call.id))),
    `update spool_positions set
       low_segment = ${low.segment}, low_offset = ${low.offset}, high_segment = ${high.segment}, high_offset = ${high.offset},
       run = ${quoted(batch.run)}, totals = ${quotedJson(batch.runs.get(batch.run) ?? NO_COUNTS)}::jsonb,
       leased_until = now() + interval '15 seconds', updated_at = now()
     where spool = ${quoted(batch.spool)}`,
  ];
}

/**
 * Locks the position; without the lease, or behind another batch, nothing of this message happens. Nor does it when a month was
 * closed since the plan: closing waits for batches, and batches for closing (db/close-month.ts).
 */
const guard = ({ spool, lease, from }: RecordBatch, closed: ClosedPeriod[]): string => `
  lock table closed_periods in row share mode;
  do $guard$ begin
    perform 1 from spool_positions
    where spool = ${quoted(spool)} and lease = ${quoted(lease)}
      and high_segment = ${from.segment} and high_offset = ${from.offset}
    for update;
    if not found then raise exception 'this spool is no longer ours' using errcode = '${LEASE_LOST}'; end if;
    if (select count(*) from closed_periods) <> ${closed.length} then
      raise exception 'a month was closed' using errcode = '${MONTH_CLOSED}';
    end if;
  end $guard$`;

/** The slow way, when the database refused something: each call alone, in a message that ends in an error of its own. */
async function findRefused(sql: Sql, batch: RecordBatch, { fresh, stale, closed }: Plan): Promise<Refused[]> {
  const refused: Refused[] = [];
  const undo = `do $undo$ begin raise exception 'only tried' using errcode = '${ONLY_TRIED}'; end $undo$`;
  for (const one of fresh) {
    const old = stale.filter((id) => id === one.call.id);
    try {
      await run(sql, [
        guard(batch, closed),
        ...(old.length ? takeOut(old, [one]) : []),
        ...insertCalls([one], old),
        undo,
      ]);
    } catch (error) {
      if (codeOf(error) === ONLY_TRIED) continue;
      if (!isDataError(error)) throw error;
      refused.push({ call: one.call, reason: (error as Error).message.slice(0, 500) });
    }
  }
  return refused;
}

const insertSetAside = ({ call, reason }: Refused, seal: RecordBatch["sealForSetAside"]): string => `
  insert into set_aside (id, spool, run, seq, reason, sealed) values (
    '${call.id}', ${quoted(call.origin.spool)}, ${quoted(call.origin.run)}, ${call.origin.seq}, ${quoted(reason)},
    '\\x${seal(call).toString("hex")}'
  ) on conflict do nothing`;

const insertFeedback = (feedback: Feedback[]): string => {
  const rows = feedback.map((one) => ({
    id: one.id,
    project_id: "default",
    target_kind: one.target.kind,
    target_id: one.target.id,
    item: one.item,
    rater: one.rater,
    received_at: new Date(one.receivedAtMs).toISOString(),
    rating: one.rating,
    score: one.score,
    comment: one.comment,
    correction: one.correction,
    labels: one.labels,
    call_id: null,
    matched_at: null,
  }));
  return `${insertRows("feedback", rows)} on conflict do nothing`;
};

const replaceCarried = (spool: string, carried: NonNullable<RecordBatch["carried"]>): string[] => [
  `delete from spool_carried where spool = ${quoted(spool)}`,
  ...carried.map(
    ({ run: life, seq, sealed }) => `
      insert into spool_carried (spool, run, seq, sealed)
      values (${quoted(spool)}, ${quoted(life)}, ${seq}, '\\x${sealed.toString("hex")}')`,
  ),
];

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

/** The row is at fault, not the database: class 22 (data), 23 (integrity), 21 (cardinality), 54 (too long for an index). */
const isDataError = (error: unknown): boolean => /^(2[123]|54)/.test(codeOf(error));

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? "");
