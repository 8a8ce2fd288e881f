import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";
import { correctCounts, keepAsBooked } from "./booked-as.ts";
import { bookingDay, type ClosedPeriod, dayOf } from "./booking.ts";
import { mayBeFolded, unfold } from "./fold-days.ts";
import { ensurePartitions } from "./partitions.ts";
import { recordChanges } from "./record-changes.ts";
import { dropEmptyCalls, rollUpCalls } from "./rollup-calls.ts";
import { dropEmptyLatency, rollUpLatency } from "./rollup-latency.ts";
import { bookedByCalls, dropEmptySpend, rollUpSpend } from "./rollup-spend.ts";
import { callRow, insertRows, quoted, quotedJson, toolCallRows } from "./rows.ts";
import { insertLines, rebookLines } from "./usage-lines.ts";

export interface SpoolPlace {
  segment: number;
  offset: number;
}

/** A call with its content, if it may be stored. */
export interface RecordedCall {
  call: Call;
  payload: { sealed: Buffer; redactions: Record<string, number> } | null;
  /** The first words of its instructions, sealed; null: known already, or not to be stored. */
  words: Buffer | null;
}

/** A call on its way into the tables, with the days that finance counts it and its lines on. */
interface Booked extends RecordedCall {
  /** null: its own day. */
  bookedOn: string | null;
  /** Of its lines: always in an open month. */
  linesOn: string;
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

/** Of one run: what its worker accepted, what has begun, what was dropped and why (lib/spool/assembler.ts). */
export interface RunCounts {
  accepted: number;
  started: number;
  dropped: Record<string, number>;
  atRisk: number;
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
  fresh: Booked[];
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
    ...countRuns(batch, new Set(refused.map(({ call }) => call.id))),
    `update spool_positions set
       low_segment = ${low.segment}, low_offset = ${low.offset}, high_segment = ${high.segment}, high_offset = ${high.offset},
       run = ${quoted(batch.run)}, totals = ${quotedJson(batch.runs.get(batch.run) ?? NOTHING)}::jsonb,
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

function takeOut(ids: string[], calls: readonly Booked[]): string[] {
  const these = anyOf(ids);
  const closed = calls.filter(isClosed).map(({ call }) => call.id);
  return [
    `delete from folded_days where day in (select booked_on from usage_lines where call_id = ${these})`,
    rollUpCalls(`id = ${these}`, -1),
    rollUpLatency(`id = ${these}`, -1),
    rollUpSpend(bookedByCalls(these, true), -1),
    ...(closed.length ? [keepAsBooked(anyOf(closed))] : []),
    // Lines booked in a closed month stay for ever; what changed is added beside them (db/usage-lines.ts).
    `delete from usage_lines l where call_id = ${these} and not exists (
       select 1 from calls c join closed_periods p on p.project_id = c.project_id
       where c.id = l.call_id and p.month = date_trunc('month', l.booked_on)::date
     )`,
    `delete from calls where id = ${these}`,
    `delete from tool_calls where call_id = ${these}`,
    `delete from payloads where call_id = ${these}`,
  ];
}

/** What was counted under names that the calls no longer have. */
function dropEmpty(ids: string[], calls: readonly Booked[]): string[] {
  const these = anyOf(ids);
  const late = calls.filter(({ call, linesOn }) => ids.includes(call.id) && linesOn !== dayOf(call.startedAt));
  const days = [...new Set(late.map(({ linesOn }) => linesOn))];
  return [dropEmptyCalls(these), dropEmptyLatency(these), dropEmptySpend(these, days)];
}

/** Hardly ever any: only what comes late, or is read again, is of a day that may be folded. */
function unfoldTouched(calls: readonly Booked[]): string[] {
  const now = Date.now();
  const touched = calls.flatMap(({ call, bookedOn, linesOn }) =>
    [dayOf(call.startedAt), bookedOn, linesOn].flatMap((day) =>
      day !== null && mayBeFolded(day, now) ? [{ day, project: call.projectId }] : [],
    ),
  );
  return [...Map.groupBy(touched, ({ project }) => project)].map(([project, some]) =>
    unfold(project, [...new Set(some.map(({ day }) => day))].sort()),
  );
}

/** Finance has closed the month that the call is counted in: what is known now is booked later. */
const isClosed = ({ call, bookedOn, linesOn }: Booked): boolean => (bookedOn ?? dayOf(call.startedAt)) !== linesOn;

function insertCalls(calls: Booked[], stale: string[]): string[] {
  const recordedAt = new Date().toISOString();
  const these = anyOf(calls.map(({ call }) => call.id));
  const tools = calls.flatMap(({ call }) => toolCallRows(call));
  const objects = calls
    .flatMap(({ call }) => (call.responseId ? [objectRow(call, call.responseId)] : []))
    .sort(inOrder(({ object_id }) => object_id));
  return [
    insertRows(
      "calls",
      calls.map(({ call, bookedOn }) => ({ ...callRow(call, recordedAt), booked_on: bookedOn })),
    ),
    ...insertLines(calls.filter(({ call }) => !stale.includes(call.id))),
    ...rebookLines(calls.filter(({ call }) => stale.includes(call.id))),
    ...correctCounts(calls.filter((one) => stale.includes(one.call.id) && isClosed(one))),
    ...(tools.length ? [insertRows("tool_calls", tools)] : []),
    ...insertPayloads(calls),
    ...insertInstructions(calls),
    ...(objects.length ? [`${insertRows("provider_objects", objects)} on conflict do nothing`] : []),
    recordChanges(`id = ${these}`),
    rollUpCalls(`id = ${these}`),
    rollUpLatency(`id = ${these}`),
    rollUpSpend(bookedByCalls(these, stale.length > 0)),
  ];
}

function insertPayloads(calls: RecordedCall[]): string[] {
  const rows = calls.flatMap(({ call, payload }) =>
    payload
      ? [
          `('${call.id}'::uuid, '\\x${payload.sealed.toString("hex")}'::bytea, ${quotedJson(payload.redactions)}::jsonb)`,
        ]
      : [],
  );
  return rows.length ? [`insert into payloads (call_id, sealed, redactions) values ${rows.join(", ")}`] : [];
}

function insertInstructions(calls: RecordedCall[]): string[] {
  const rows = calls
    .toSorted(inOrder(({ call }) => call.unitHash ?? ""))
    .flatMap(({ call, words }) =>
      words && call.unitHash
        ? [
            `(${quoted(call.projectId)}, ${quoted(call.unitHash)}, '\\x${words.toString("hex")}'::bytea, '${call.id}'::uuid)`,
          ]
        : [],
    );
  if (rows.length === 0) return [];
  return [
    `insert into instructions (project_id, unit_hash, sealed, first_call_id) values ${rows.join(", ")} on conflict do nothing`,
  ];
}

/** Tables that several recorders write are written in one order: two that meet in opposite orders would wait for each other. */
const inOrder =
  <T>(keyOf: (row: T) => string) =>
  (a: T, b: T): number =>
    keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0;

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

/** The equation's figures: calls of an earlier run can still end in this stretch (as interrupted). */
function countRuns(batch: RecordBatch, refused: ReadonlySet<string>): string[] {
  const ended = new Map<string, { stored: number; aside: number }>();
  for (const life of batch.runs.keys()) ended.set(life, { stored: 0, aside: 0 });
  for (const { call } of batch.calls) {
    const counts = ended.get(call.origin.run) ?? { stored: 0, aside: 0 };
    if (refused.has(call.id)) counts.aside++;
    else counts.stored++;
    ended.set(call.origin.run, counts);
  }
  return [...ended].flatMap(([life, { stored, aside }]) => {
    if (!life) return [];
    const { accepted, started, dropped, atRisk } = batch.runs.get(life) ?? NOTHING;
    return [
      `insert into spool_runs as r (spool, run, accepted, started, stored, set_aside, dropped, at_risk)
       values (
         ${quoted(batch.spool)}, ${quoted(life)}, ${accepted}, ${started}, ${stored}, ${aside},
         ${quotedJson(dropped)}::jsonb, ${atRisk}
       )
       on conflict (spool, run) do update set
         accepted = greatest(r.accepted, excluded.accepted), started = greatest(r.started, excluded.started),
         stored = r.stored + excluded.stored, set_aside = r.set_aside + excluded.set_aside,
         dropped = case when excluded.accepted > 0 then excluded.dropped else r.dropped end,
         at_risk = greatest(r.at_risk, excluded.at_risk), updated_at = now()`,
    ];
  });
}

const NOTHING: RunCounts = { accepted: 0, started: 0, dropped: {}, atRisk: 0 };

const objectRow = (call: Call, objectId: string) => ({
  project_id: call.projectId,
  upstream: call.upstream,
  object_id: objectId,
  call_id: call.id,
});

/** Ids as an array literal. Each is looked at again: this text is not a parameter. */
const anyOf = (ids: string[]): string => {
  if (!ids.every((id) => /^[0-9a-f-]{36}$/.test(id))) throw new Error("a call id is no UUID");
  return `any('{${ids.join(",")}}'::uuid[])`;
};

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
