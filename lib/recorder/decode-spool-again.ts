import { setTimeout as sleep } from "node:timers/promises";
import type { Call } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import { addMoney } from "#lib/money.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import { type AgainReport, countChange, list } from "./again-report.ts";
import { type DecodedExchange, type DecodeOptions, decodeExchange } from "./decode-exchange.ts";

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
  /** How far the recorders are behind, in seconds. */
  lagSeconds(): Promise<number>;
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

/** Reads exchanges again with the present decoder, replaces what an older one stored, and adds the difference to `report`. */
export async function decodeAgain(
  exchanges: readonly Exchange[],
  report: AgainReport,
  { store, expiredBeforeMs, dryRun, ...options }: Options,
): Promise<void> {
  report.looked += exchanges.length;
  const decoded = await decodeAll();
  if (decoded.length === 0) return;
  const found = await store.compare(decoded.map(({ call }) => ({ call, costUsd: costOf(call) })));
  const foundOf = new Map(found.map((one) => [one.id, one]));
  const stale = decoded.filter((one) => isStale(one, foundOf.get(one.call.id) as ComparedCall));
  if (dryRun || stale.length === 0) return;
  await recordersFirst();
  // Content whose time is over must not come back.
  const refused = await store.replace(
    stale.map((one) => (foundOf.get(one.call.id)?.hasContent ? one : { ...one, payload: null })),
  );
  for (const { id, reason } of refused) {
    uncount(foundOf.get(id) as ComparedCall);
    list(report.refused, `${id}: ${reason}`);
  }

  async function decodeAll(): Promise<DecodedExchange[]> {
    const all: DecodedExchange[] = [];
    for (const exchange of exchanges)
      try {
        all.push(await decodeExchange(exchange, options));
      } catch (error) {
        list(report.notDecodable, `${exchange.id}: ${(error as Error).message}`);
      }
    return all;
  }

  function isStale({ call }: DecodedExchange, stored: ComparedCall): boolean {
    if (stored.version === null) {
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

  function uncount({ changed, costChanged }: ComparedCall) {
    if (changed.length || costChanged) report.changed.calls--;
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
