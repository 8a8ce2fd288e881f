import type { Call } from "#lib/call.ts";
import { correctCounts, keepAsBooked } from "./booked-as.ts";
import { dayOf } from "./booking.ts";
import { mayBeFolded, unfold } from "./fold-days.ts";
import { insertColumns } from "./insert-columns.ts";
import { amongIds } from "./of-calls.ts";
import { insertObjects, type ObjectName, objectsOf } from "./provider-objects.ts";
import { RATINGS_LOCK, rateCalls, rateGrown, unfoldRatings } from "./rate-calls.ts";
import { recordChanges } from "./record-changes.ts";
import { dropEmptyCalls, rollUpCalls } from "./rollup-calls.ts";
import { dropEmptyLatency, rollUpLatency } from "./rollup-latency.ts";
import { bookedByCalls, dropEmptySpend, rollUpSpend } from "./rollup-spend.ts";
import { callRow, insertRows, quoted, quotedJson, toolCallRows } from "./rows.ts";
import { insertLines, rebookLines } from "./usage-lines.ts";

/** A call with its content, if it may be stored. */
export interface RecordedCall {
  call: Call;
  payload: { sealed: Buffer; redactions: Record<string, number> } | null;
  /** The first words of its instructions, sealed; null: known already, or not to be stored. */
  words: Buffer | null;
  /** Audio that is kept, sealed. */
  media?: SealedMedia[];
  /** What a re-read says of the call that generated what it repeats. */
  restates?: Restated;
}

/** What a later answer says of a call, under the provider's id. */
export interface Restated extends ObjectName {
  facts: Pick<Call, "model" | "serviceTier" | "usage" | "lines" | "finishReasons" | "problems">;
}

interface SealedMedia {
  index: number;
  direction: "input" | "output";
  mediaType: string;
  /** Before it was sealed. */
  bytes: number;
  sealed: Buffer;
}

/** A call on its way into the tables, with the days that finance counts it and its lines on. */
export interface BookedCall extends RecordedCall {
  /** null: its own day. */
  bookedOn: string | null;
  /** Of its lines: always in an open month. */
  linesOn: string;
}

/** What is known of a call where its figures are booked. */
export type BookedFigures = Pick<BookedCall, "bookedOn" | "linesOn"> & {
  call: Pick<Call, "id" | "projectId" | "startedAt" | "lines">;
};

/** SQL that takes out what an older decoder had stored of calls; `calls` are what takes its place. */
export function takeOut(ids: string[], calls: readonly BookedCall[]): string[] {
  const these = amongIds(ids);
  return [
    ...takeOutFigures(ids, calls),
    `delete from calls where ${these("id")}`,
    `delete from tool_calls where ${these("call_id")}`,
    `delete from payloads where ${these("call_id")}`,
    `delete from media where ${these("call_id")}`,
  ];
}

/** SQL that takes calls out of the rollups, and their lines out of months that are open; `calls` are what will be counted instead. */
export function takeOutFigures(ids: string[], calls: readonly BookedFigures[]): string[] {
  const these = amongIds(ids);
  const closed = calls.filter(isClosed).map(({ call }) => call.id);
  return [
    rollUpCalls(these("id"), -1),
    rollUpLatency(these("id"), -1),
    rollUpSpend(bookedByCalls(these, true), -1),
    ...(closed.length ? [keepAsBooked(amongIds(closed))] : []),
    // Lines booked in a closed month stay for ever; what changed is added beside them (db/usage-lines.ts).
    `delete from usage_lines l where ${these("call_id")} and not exists (
       select 1 from calls c join closed_periods p on p.project_id = c.project_id
       where c.id = l.call_id and p.month = date_trunc('month', l.booked_on)::date
     )`,
  ];
}

/** SQL that drops what was counted under names that the calls no longer have. */
export function dropEmpty(ids: string[], calls: readonly BookedFigures[]): string[] {
  const these = amongIds(ids);
  const late = calls.filter(({ call, linesOn }) => ids.includes(call.id) && linesOn !== dayOf(call.startedAt));
  const days = [...new Set(late.map(({ linesOn }) => linesOn))];
  return [dropEmptyCalls(these), dropEmptyLatency(these), dropEmptySpend(these, days)];
}

/**
 * SQL that says of days that they are folded no more; `stale` are the ids of calls that are taken out. Hardly ever any: only what comes
 * late, or is read again, is of a day that may be folded.
 */
export function unfoldTouched(calls: readonly BookedFigures[], stale: string[]): string[] {
  const now = Date.now();
  const touched = calls.flatMap(({ call, bookedOn, linesOn }) =>
    [dayOf(call.startedAt), bookedOn, linesOn].flatMap((day) =>
      day !== null && mayBeFolded(day, now) ? [`(${quoted(call.projectId)}, ${quoted(day)}::date)`] : [],
    ),
  );
  const which = [
    ...(touched.length ? [`(project_id, day) in (${[...new Set(touched)].join(", ")})`] : []),
    // Where their lines were booked.
    ...(stale.length ? [`day in (select booked_on from usage_lines where ${amongIds(stale)("call_id")})`] : []),
  ];
  return which.length ? [unfold(which.join(" or "))] : [];
}

/** Finance has closed the month that the call is counted in: what is known now is booked later. */
export const isClosed = ({ call, bookedOn, linesOn }: BookedFigures): boolean =>
  (bookedOn ?? dayOf(call.startedAt)) !== linesOn;

/** SQL that stores calls with all that belongs to them; `stale` are the ids of those that were stored before. */
export function insertCalls(calls: BookedCall[], stale: string[]): string[] {
  const recordedAt = new Date().toISOString();
  const these = amongIds(calls.map(({ call }) => call.id));
  const tools = calls.flatMap(({ call }) => toolCallRows(call));
  const grown = calls.flatMap(({ call }) => (call.session !== null && !stale.includes(call.id) ? [call.id] : []));
  return [
    insertColumns(
      "calls",
      calls.map(({ call, bookedOn }) => callRow(call, recordedAt, bookedOn)),
    ),
    ...insertLines(calls.filter(({ call }) => !stale.includes(call.id))),
    ...rebookLines(calls.filter(({ call }) => stale.includes(call.id))),
    ...correctCounts(calls.filter((one) => stale.includes(one.call.id) && isClosed(one))),
    ...(tools.length ? [insertRows("tool_calls", tools)] : []),
    ...insertPayloads(calls),
    ...insertMedia(calls),
    ...insertInstructions(calls),
    ...insertObjects(calls.flatMap(({ call }) => objectsOf(call).map((name) => ({ ...name, callId: call.id })))),
    ...recordChangesOf(calls),
    rollUpCalls(these("id")),
    rollUpLatency(these("id")),
    rollUpSpend(bookedByCalls(these, stale.length > 0)),
    ...rateStored(calls, stale, grown),
  ];
}

/**
 * SQL that rates anew calls that changed (`stale`), and sessions that have a new call (`grown`). Last, because who rates makes others that
 * rate wait until it is stored.
 */
export function rateStored(
  calls: readonly BookedFigures[],
  stale: readonly string[],
  grown: readonly string[],
): string[] {
  const now = Date.now();
  const over = [...new Set(calls.map(({ call }) => dayOf(call.startedAt)))].filter((day) => mayBeFolded(day, now));
  return [
    ...(over.length ? [`select ${RATINGS_LOCK}`, unfoldRatings(over)] : []),
    ...(stale.length ? rateCalls(amongIds(stale)) : []),
    ...(grown.length ? [rateGrown(amongIds(grown))] : []),
  ];
}

/** Whatever several of them show, the first of them shows first. */
function recordChangesOf(calls: readonly BookedCall[]): string[] {
  const first = new Map<string, string>();
  const show = (id: string, ...what: (string | null)[]) => {
    if (what.includes(null)) return;
    const key = JSON.stringify(what);
    const before = first.get(key);
    if (before === undefined || id < before) first.set(key, id);
  };
  for (const { call } of calls) {
    show(call.id, call.projectId, "template_version", call.template, call.templateVersion);
    if (call.model !== call.requestModel) show(call.id, call.projectId, "snapshot", call.requestModel, call.model);
  }
  return first.size > 0 ? [recordChanges(amongIds([...new Set(first.values())])("id"))] : [];
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

function insertMedia(calls: readonly RecordedCall[]): string[] {
  const rows = calls.flatMap(({ call, media = [] }) =>
    media.map(
      ({ index, direction, mediaType, bytes, sealed }) =>
        `('${call.id}'::uuid, ${index}, ${quoted(direction)}, ${quoted(mediaType)}, ${bytes}, '\\x${sealed.toString("hex")}'::bytea)`,
    ),
  );
  return rows.length
    ? [`insert into media (call_id, index, direction, media_type, bytes, sealed) values ${rows.join(", ")}`]
    : [];
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
