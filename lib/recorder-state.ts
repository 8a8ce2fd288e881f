import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MetricFamily } from "./metric-family.ts";

/** What the recorder says of itself about once per second, for the proxy's /metrics: the two share no process and no port. */
export interface RecorderState {
  /** Whose word it is: process id and a random part. */
  holder?: string;
  writtenAtMs: number;
  spools: SpoolState[];
  /** What it has counted since it started. */
  families: MetricFamily[];
}

/** How far one spool is stored. Only ever moves forward, so an old one is still true, only not the latest. */
export interface SpoolState {
  /** The spool's identity (lib/spool/spool-dir.ts). */
  spool: string;
  /** Calls of the run that is being read. null: not known, because the recorder does not hold this spool now. */
  counts: RunCounts | null;
  /** Everything before it is stored. */
  high: { segment: number; offset: number };
  /** Everything that was written before this moment is stored. null: not known yet. */
  storedUntilMs: number | null;
}

interface RunCounts {
  run: string;
  stored: number;
  setAside: number;
}

/** Older than this, the recorder is taken to be gone: its figures are unknown then, not zero. */
const FRESH_MS = 10_000;

/** Recorders of one data directory that are told apart; one more says nothing of itself. */
export const RECORDER_SLOTS = 8;

const stateFile = (dataDir: string, slot: number): string =>
  join(dataDir, slot === 0 ? "recorder-state.json" : `recorder-state-${slot}.json`);

/** Whoever reads it sees the whole of one state, never half of it. @throws the file system's error */
export function writeRecorderState(dataDir: string, state: RecorderState, slot = 0): void {
  const file = stateFile(dataDir, slot);
  // A name of its own: another recorder may be writing at this moment.
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, JSON.stringify(state), { mode: 0o600 });
  renameSync(draft, file);
}

/** What a recorder said last, however old. null: there is none, or it cannot be read as one. Never throws. */
export function readSlot(dataDir: string, slot: number): RecorderState | null {
  try {
    const state: unknown = JSON.parse(readFileSync(stateFile(dataDir, slot), "utf8"));
    return isState(state) ? state : null;
  } catch {
    return null;
  }
}

/**
 * What the recorders of a data directory said last, as one: usually there is one. Figures of a second one carry the label
 * `recorder`, so that rates over their sum stay right when one of them dies. null: nobody has said anything. Never throws.
 */
export function readRecorderState(dataDir: string): RecorderState | null {
  const said = Array.from({ length: RECORDER_SLOTS }, (_, slot) => ({ slot, state: readSlot(dataDir, slot) })).flatMap(
    ({ slot, state }) => (state ? [{ slot, state }] : []),
  );
  const [first] = said;
  if (!first) return null;
  if (said.length === 1 && first.slot === 0) return first.state;
  const writtenAtMs = Math.max(...said.map(({ state }) => state.writtenAtMs));
  const living = said.filter(({ state }) => isFresh(state, writtenAtMs));
  const spools = said.flatMap(({ state }) =>
    isFresh(state, writtenAtMs) ? state.spools : state.spools.map((one) => ({ ...one, counts: null })),
  );
  return {
    writtenAtMs,
    spools: [...Map.groupBy(spools, ({ spool }) => spool).values()].map((some) => some.reduce(furthest)),
    families: joinFamilies(living.flatMap(({ slot, state }) => state.families.map((one) => labelled(one, slot)))),
  };
}

/** Both are true. Who holds the spool knows its counts. */
const furthest = (a: SpoolState, b: SpoolState): SpoolState => ({
  spool: a.spool,
  counts: b.counts ?? a.counts,
  high: later(a, b).high,
  storedUntilMs:
    a.storedUntilMs === null || b.storedUntilMs === null
      ? (a.storedUntilMs ?? b.storedUntilMs)
      : Math.max(a.storedUntilMs, b.storedUntilMs),
});

const later = (a: SpoolState, b: SpoolState): SpoolState =>
  a.high.segment > b.high.segment || (a.high.segment === b.high.segment && a.high.offset > b.high.offset) ? a : b;

const labelled = (family: MetricFamily, slot: number): MetricFamily =>
  slot === 0
    ? family
    : ({
        ...family,
        samples: family.samples.map((one) => ({ ...one, labels: { ...one.labels, recorder: String(slot) } })),
      } as MetricFamily);

/** A family is told once, with everybody's samples. */
const joinFamilies = (families: readonly MetricFamily[]): MetricFamily[] =>
  [...Map.groupBy(families, ({ name, type }) => `${name} ${type}`).values()].map(
    (some) => ({ ...some[0], samples: some.flatMap(({ samples }) => samples as unknown[]) }) as MetricFamily,
  );

/** A clock that was set back must not make a dead recorder's last words look new. */
export const isFresh = (state: RecorderState, nowMs: number): boolean =>
  Math.abs(nowMs - state.writtenAtMs) <= FRESH_MS;

function isState(value: unknown): value is RecorderState {
  return (
    isRecord(value) &&
    isNumber(value.writtenAtMs) &&
    (value.holder === undefined || typeof value.holder === "string") &&
    Array.isArray(value.spools) &&
    value.spools.every(isSpool) &&
    Array.isArray(value.families) &&
    value.families.every(isFamily)
  );
}

function isSpool(value: unknown): value is SpoolState {
  return (
    isRecord(value) &&
    typeof value.spool === "string" &&
    (value.counts === null || isCounts(value.counts)) &&
    isRecord(value.high) &&
    isNumber(value.high.segment) &&
    isNumber(value.high.offset) &&
    (value.storedUntilMs === null || isNumber(value.storedUntilMs))
  );
}

const isCounts = (value: unknown): value is RunCounts =>
  isRecord(value) && typeof value.run === "string" && isNumber(value.stored) && isNumber(value.setAside);

function isFamily(value: unknown): value is MetricFamily {
  if (!isRecord(value) || !/^omnimeter_[a-z_]+$/.test(String(value.name)) || typeof value.help !== "string")
    return false;
  const isValue = value.type === "histogram" ? isBuckets : isNumber;
  return (
    ["counter", "gauge", "histogram"].includes(String(value.type)) &&
    Array.isArray(value.samples) &&
    value.samples.every((one) => isRecord(one) && isLabels(one.labels) && isValue(one.value))
  );
}

const isBuckets = (value: unknown): boolean =>
  isRecord(value) &&
  isNumber(value.sum) &&
  isNumbers(value.bounds) &&
  isNumbers(value.counts) &&
  value.counts.length === value.bounds.length + 1;

const isLabels = (value: unknown): boolean =>
  isRecord(value) && Object.entries(value).every(([name, text]) => /^[a-z_]+$/.test(name) && typeof text === "string");

const isNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(isNumber);
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
