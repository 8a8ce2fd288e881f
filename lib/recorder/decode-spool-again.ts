import { setTimeout as sleep } from "node:timers/promises";
import type { Call } from "#lib/call.ts";
import { addMoney } from "#lib/money.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import { type AgainReport, countChange, list } from "./again-report.ts";
import { type DecodedExchange, type DecodeOptions, decodeCalls, decodeChild } from "./decode-exchange.ts";
import type { Reread } from "./reread-spool.ts";
import type { SessionStep } from "./store.ts";

/** What is stored of a call, held against what it is read as now (db/decoded-again.ts). */
export interface ComparedCall {
  id: string;
  version: number | null;
  isSetAside: boolean;
  hasContent: boolean;
  changed: string[];
  costBefore: string | null;
  costAfter: string | null;
  costChanged: boolean;
}

/** What decoding again asks of the store; its `main` binds it to db/. */
export interface AgainStore {
  compare(calls: readonly { call: Call; costUsd: string | null }[]): Promise<ComparedCall[]>;
  /** Replaces what an older decoder stored; returns what the database refuses. */
  replace(calls: readonly DecodedExchange[]): Promise<{ id: string; reason: string }[]>;
  /** The same of sessions, which are theirs alone; `dryRun`: counts them only. */
  replaceSessions(sessions: readonly SessionStep[], dryRun: boolean): Promise<ReplacedSessions>;
  /** How far the recorders are behind, in seconds. */
  lagSeconds(): Promise<number>;
}

interface ReplacedSessions {
  replaced: number;
  refused: { id: string; reason: string }[];
}

interface Options extends DecodeOptions {
  store: AgainStore;
  /** Facts of calls that began before are no longer kept. null: all are. */
  expiredBeforeMs: number | null;
  dryRun: boolean;
}

/** Calls that come go before calls that came: while the recorders are behind, this waits, but not for ever. */
const LAG_SECONDS = 5;
const WAIT_MS = 500;
const WAITS_MAX = 60;
/** Compared and replaced at once: a file with a batch's answers is thousands. */
const CALLS_MAX = 500;

/** Reads exchanges again with the present decoder, replaces what an older one stored, and adds the difference to `report`. */
export async function decodeAgain(
  { exchanges, steps, sessions }: Reread,
  report: AgainReport,
  { store, expiredBeforeMs, dryRun, ...options }: Options,
): Promise<void> {
  const decoded = await decodeAll();
  report.looked += decoded.length;
  /** All of them: whether a call that came out of an exchange is new is told by that exchange's own. */
  const foundOf = new Map<string, ComparedCall>();
  for (let i = 0; i < decoded.length; i += CALLS_MAX) await replace(decoded.slice(i, i + CALLS_MAX));
  const { replaced, refused: refusedSessions } = await store.replaceSessions(sessions, dryRun);
  report.sessions += replaced;
  for (const { id, reason } of refusedSessions) list(report.refused, `${id}: ${reason}`);

  async function replace(some: readonly DecodedExchange[]): Promise<void> {
    const found = await store.compare(some.map(({ call }) => ({ call, costUsd: costOf(call) })));
    for (const one of found) foundOf.set(one.id, one);
    const stale = some.filter((one) => isStale(one, foundOf.get(one.call.id) as ComparedCall));
    if (dryRun || stale.length === 0) return;
    await recordersFirst();
    const refused = await store.replace(stale.map(withoutOldContent));
    for (const { id, reason } of refused) {
      uncount(foundOf.get(id) as ComparedCall);
      list(report.refused, `${id}: ${reason}`);
    }
  }

  /** Content whose time is over must not come back. */
  function withoutOldContent(one: DecodedExchange): DecodedExchange {
    const stored = foundOf.get(one.call.id);
    const { media: _, ...facts } = one;
    return stored?.hasContent || stored?.version === null ? one : { ...facts, payload: null };
  }

  async function decodeAll(): Promise<DecodedExchange[]> {
    const all: DecodedExchange[] = [];
    for (const exchange of exchanges)
      try {
        for (const one of await decodeCalls(exchange, options)) all.push(one);
      } catch (error) {
        report.looked++;
        list(report.notDecodable, `${exchange.id}: ${(error as Error).message}`);
      }
    for (const { source, output } of steps)
      for (const child of output?.calls ?? []) all.push(decodeChild(source, child, options));
    return all;
  }

  function isStale({ call }: DecodedExchange, stored: ComparedCall): boolean {
    if (stored.version === null) {
      if (isNew(call, stored)) {
        report.found++;
        return true;
      }
      const expired = expiredBeforeMs !== null && uuid7Ms(call.id) < expiredBeforeMs;
      const why = stored.isSetAside ? "setAside" : expired ? "expired" : "unknown";
      list(report.notStored[why], call.id);
      return false;
    }
    if (stored.version >= call.decoderVersion) {
      report.current++;
      return false;
    }
    countChange(report, stored.changed, stored);
    return true;
  }

  function isNew({ parentId, startedAt, decoderVersion }: Call, { isSetAside }: ComparedCall): boolean {
    const parent = parentId === null ? undefined : foundOf.get(parentId);
    const expired = expiredBeforeMs !== null && startedAt < expiredBeforeMs;
    return !isSetAside && !expired && (parent?.version ?? decoderVersion) < decoderVersion;
  }

  function uncount({ version, changed, costChanged }: ComparedCall) {
    if (version === null) report.found--;
    else if (changed.length || costChanged) report.changed.calls--;
    else report.unchanged--;
  }

  async function recordersFirst() {
    for (let waits = 0; waits < WAITS_MAX && (await store.lagSeconds()) > LAG_SECONDS; waits++) await sleep(WAIT_MS);
  }
}

function costOf({ lines }: Call): string | null {
  const costs = lines.flatMap(({ costUsd }) => costUsd ?? []);
  return costs.length ? costs.reduce(addMoney, "0") : null;
}
