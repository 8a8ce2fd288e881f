import type { Sql } from "postgres";
import { closeMonth } from "#db/close-month.ts";
import { recordBatch } from "#db/record-batch.ts";
import { leaseSpool, touchSpool } from "#db/spool-lease.ts";
import type { Call, UsageLine } from "#lib/call.ts";
import { addMoney, subtractMoney } from "#lib/money.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { chatExchange } from "./exchange.ts";
import { seeded } from "./split.ts";
import { usageOf } from "./store-calls.ts";

const DAY_MS = 86_400_000;
const SPOOL = "spool-spend";
export const UNKNOWN_MODEL = "gpt-9-unheard-of";

/** What was booked, as the one who stored it knows it: nothing of it is read from the database. */
export interface Booked {
  /** The moment it counts for. */
  ms: number;
  call: Call;
  calls: number;
  unpriced: number;
  costUsd: string;
  estimatedUsd: string;
}

/**
 * Stores calls of weeks around the days on which clocks change, at any time and at the very edges of days, with and without
 * prices, reported and estimated. February is closed before some of its calls are stored, or known better.
 */
export async function seedBooked(sql: Sql): Promise<Booked[]> {
  await leaseSpool(sql, SPOOL, "me", false);
  const { call: template } = await decodeExchange(chatExchange(), {
    projectId: "default",
    contentKey: null,
    knownInstructions: new Set(),
  });
  const random = seeded(20260308);
  const booked: Booked[] = [];
  const forgotten = new Set<string>();
  const drawn = (ms: number) => drawCall(template, ms, random, forgotten);
  const stretches = [
    [Date.UTC(2026, 1, 24), Date.UTC(2026, 2, 24)],
    [Date.UTC(2026, 9, 25), Date.UTC(2026, 10, 8)],
  ] as const;
  const calls = stretches.flatMap(([from, to]) => momentsBetween(from, to, random).map(drawn));
  await record(sql, 0, calls);
  for (const call of calls) book(booked, call, call.startedAt);
  await closeMonth(sql, { project: "default", month: "2026-02-01", by: "A. Ito" });

  // Known too late for February: whole calls, other quantities, and prices that have become known.
  const march = Date.UTC(2026, 2, 1);
  const late = Array.from({ length: 12 }, (_, i) => drawn(Date.UTC(2026, 1, 20) + i * 3_600_000));
  await record(sql, 1, late);
  for (const call of late) book(booked, call, march);
  const february = calls.filter(({ startedAt }) => startedAt < march);
  const reread = february
    .filter((call) => forgotten.has(call.id) || unpricedOf(call) === 0)
    .map((before) => ({ before, after: knownBetter(before, forgotten.has(before.id) ? null : random) }));
  for (const { before, after } of reread) rebook(booked, before, after, march);
  await record(
    sql,
    2,
    reread.map(({ after }) => after),
  );
  return booked;
}

function momentsBetween(from: number, to: number, random: () => number): number[] {
  const midnights = Array.from({ length: (to - from) / DAY_MS }, (_, i) => from + i * DAY_MS);
  // New York's, Kolkata's and Chatham's midnights too.
  const edges = midnights.flatMap((at) => [0, -4, -5, 5.5, -13.75, -12.75].map((hours) => at - hours * 3_600_000));
  return [
    ...edges.flatMap((at) => [at - 1, at]),
    ...Array.from({ length: 150 }, () => from + Math.floor(random() * (to - from))),
  ].filter((at) => at >= from && at < to && random() < 0.7);
}

/** `forgotten` gets the ids of calls that are stored as if the price book had learned their price later. */
function drawCall(template: Call, ms: number, random: () => number, forgotten: Set<string>): Call {
  const one = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  const id = createUuid7(() => ms)();
  const promptTemplate = one(["support", "rewrite", null]);
  const source = one(["reported", "reported", "reported", "estimated"] as const);
  const call: Call = {
    ...template,
    id,
    operationId: id,
    startedAt: uuid7Ms(id),
    environment: one(["production", "production", "staging"]),
    feature: one(["search", "=1+1", "Café — «α»", null]),
    customer: one(["acme", "globex", "initech", 'umbrella, "inc"', null]),
    template: promptTemplate,
    templateVersion: promptTemplate && one(["1", "2", null]),
    model: one(["gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "gpt-4o-audio-preview-2024-12-17", UNKNOWN_MODEL]),
    outcome: one(["completed", "completed", "client_aborted", "failed"]),
    origin: { ...template.origin, spool: SPOOL },
    usage: { ...template.usage, source },
  };
  const known = priced(call, drawLines(random, source));
  if (unpricedOf(known) || random() < 0.8) return known;
  forgotten.add(id);
  return { ...known, lines: known.lines.map((line) => ({ ...line, price: null, costUsd: null, savedUsd: null })) };
}

function drawLines(random: () => number, source: "reported" | "estimated"): UsageLine[] {
  const line = (over: Partial<UsageLine>): UsageLine => ({
    direction: "input",
    modality: "text",
    cache: "none",
    unit: "token",
    product: null,
    quantity: 1 + Math.floor(random() * 4000),
    source,
    ...over,
  });
  return [
    line({}),
    line({ cache: "read" }),
    line({ direction: "output" }),
    ...(random() < 0.3 ? [line({ modality: "audio" }), line({ modality: "audio", direction: "output" })] : []),
    ...(random() < 0.2 ? [line({ modality: "image" })] : []),
  ];
}

/** The call as a better decoder reads it: under other names, with other quantities, or the same at the price that is known now. */
function knownBetter(call: Call, random: (() => number) | null): Call {
  const changed = call.lines.map((line) => ({
    ...line,
    quantity: 1 + Math.floor((random?.() ?? 0) * line.quantity * 2),
  }));
  const renamed = random && random() < 0.5 ? { feature: "renamed", customer: null, template: "renamed" } : {};
  return priced({ ...call, ...renamed, decoderVersion: call.decoderVersion + 1 }, random ? changed : call.lines);
}

const priced = (call: Call, lines: UsageLine[]): Call => ({
  ...call,
  usage: usageOf(call.usage, lines),
  lines: priceLines(lines, { ...call, inputTokens: null }),
});

async function record(sql: Sql, batch: number, calls: readonly Call[]) {
  await touchSpool(sql, SPOOL, "me");
  const from = { segment: Math.min(batch, 1), offset: batch };
  const high = { segment: 1, offset: batch + 1 };
  await recordBatch(sql, {
    spool: SPOOL,
    lease: "me",
    from,
    low: high,
    high,
    run: "run",
    runs: new Map([["run", { accepted: calls.length, started: calls.length, dropped: {}, atRisk: 0 }]]),
    calls: calls.map((call) => ({ call, payload: null, words: null })),
    feedback: [],
    sealForSetAside: () => Buffer.alloc(0),
  });
}

const costOf = ({ lines }: Call, estimated: boolean): string =>
  lines
    .filter(({ source }) => (source === "estimated") === estimated)
    .reduce((sum, { costUsd }) => addMoney(sum, costUsd ?? "0"), "0");
const unpricedOf = ({ lines }: Call): number => Number(lines.some(({ costUsd }) => costUsd === null));

function book(booked: Booked[], call: Call, ms: number) {
  const estimatedUsd = costOf(call, true);
  const costUsd = addMoney(costOf(call, false), estimatedUsd);
  booked.push({ ms, call, calls: 1, unpriced: unpricedOf(call), costUsd, estimatedUsd });
}

/** What is known better now is booked as a difference, under the names that the closed month has. */
function rebook(booked: Booked[], before: Call, known: Call, ms: number) {
  const was = booked.find(({ call }) => call.id === before.id) as Booked;
  const { feature, customer, template } = before;
  const after = { ...known, feature, customer, template };
  was.call = after;
  const estimatedUsd = subtractMoney(costOf(after, true), costOf(before, true));
  const reportedUsd = subtractMoney(costOf(after, false), costOf(before, false));
  const unpriced = unpricedOf(after) - unpricedOf(before);
  booked.push({ ms, call: after, calls: 0, unpriced, costUsd: addMoney(reportedUsd, estimatedUsd), estimatedUsd });
}
