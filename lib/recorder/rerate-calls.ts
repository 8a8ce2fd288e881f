import { setTimeout as sleep } from "node:timers/promises";
import type { Call, PricedLine, UsageLine } from "#lib/call.ts";
import { addMoney, subtractMoney } from "#lib/money.ts";
import type { PriceBook } from "#lib/pricing/create-price-book.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { countLine, type RerateReport } from "#lib/rerate-report.ts";

/** As db/rerate.ts has them. */
interface BookedLine extends Pick<UsageLine, "direction" | "modality" | "cache" | "unit" | "product" | "source"> {
  adjustment: number;
  quantity: string;
  priceId: string | null;
  priceUsd: string | null;
  pricePer: number | null;
  costUsd: string | null;
  savedUsd: string | null;
}

interface BilledCall extends Pick<Call, "id" | "projectId" | "upstream" | "model" | "serviceTier" | "region"> {
  startedAt: number;
  inputTokens: number | null;
  isSum: boolean;
  closed: boolean;
  lines: BookedLine[];
}

/** What pricing again asks of the store. */
export interface RerateStore<C extends BilledCall, P extends { calls: C[] }> {
  next(after: string | null): Promise<P>;
  /** False: something has changed since the page was read; read it again. */
  book(report: RerateReport, page: P, adjusted: { call: C; lines: BookedLine[] }[]): Promise<boolean>;
  /** How far the recorders are behind, in seconds. */
  lagSeconds(): Promise<number>;
}

/** Beside what was changed: calls that were looked at, and calls of closed months, which stay as they are. */
export interface Looked {
  calls: number;
  closedCalls: number;
  /** Of those, the calls that would cost something else now. */
  closedDiffer: number;
}

/** Calls that come go before calls that came: while the recorders are behind, this waits, but not for ever. */
const LAG_SECONDS = 5;
const WAIT_MS = 500;
const WAITS_MAX = 60;
/** A page that changes each time it is read is somebody else's to repair. */
const TRIES_MAX = 10;

/**
 * Prices the lines of calls anew, page by page, and adds what differs to the report: a reversal of the line as it is booked and the line as it
 * is priced now. `dryRun`: nothing is booked. What was priced so already stays as it is: a second run changes nothing.
 */
export async function rerateCalls<C extends BilledCall, P extends { calls: C[] }>(
  store: RerateStore<C, P>,
  prices: PriceBook,
  report: RerateReport,
  { dryRun, onPage }: { dryRun: boolean; onPage?: (looked: Looked) => void },
): Promise<Looked> {
  const looked: Looked = { calls: 0, closedCalls: 0, closedDiffer: 0 };
  let after: string | null = null;
  for (let tries = 1; ; ) {
    const page: P = await store.next(after);
    const last = page.calls.at(-1);
    if (!last) return looked;
    const differing = page.calls
      .map((call) => ({ call, changes: changesOf(call, prices) }))
      .filter(({ changes }) => changes.length);
    const open = differing.filter(({ call }) => !call.closed);
    const next = structuredClone(report);
    for (const { call, changes } of open) count(next, call, changes);
    if (!dryRun && open.length) {
      await recordersFirst(store);
      const adjusted = open.map(({ call, changes }) => ({ call, lines: adjust(call.lines, changes) }));
      if (!(await store.book(next, page, adjusted))) {
        if (++tries > TRIES_MAX) throw new Error(`calls behind ${after ?? "the first"} change all the time`);
        continue;
      }
    }
    tries = 1;
    Object.assign(report, next);
    looked.calls += page.calls.length;
    looked.closedCalls += page.calls.filter(({ closed }) => closed).length;
    looked.closedDiffer += differing.length - open.length;
    onPage?.(looked);
    after = last.id;
  }
}

/** What counts of a line as it is booked, and the same at the present price. */
interface Change {
  before: BookedLine;
  after: PricedLine;
}

function changesOf(call: BilledCall, prices: PriceBook): Change[] {
  const before = inForce(call.lines);
  const lines = before.map(({ quantity, ...line }) => ({ ...line, quantity: Number(quantity) }));
  return priceLines(lines, call, prices).flatMap((after, i) => {
    const was = before[i] as BookedLine;
    const isSame =
      was.priceId === (after.price?.id ?? null) && was.costUsd === after.costUsd && was.savedUsd === after.savedUsd;
    return isSame ? [] : [{ before: was, after }];
  });
}

/** Reversals and what they reverse cancel out. */
function inForce(lines: readonly BookedLine[]): BookedLine[] {
  const same = Map.groupBy(lines, (line) =>
    JSON.stringify([keyOf(line), line.product, line.source, line.priceId, line.priceUsd]),
  );
  return [...same.values()].flatMap((of) => {
    const sum = (amounts: (string | null)[]) =>
      amounts.reduce((a, b) => (a === null || b === null ? null : addMoney(a, b)));
    const quantity = sum(of.map((line) => line.quantity)) as string;
    const [costUsd, savedUsd] = [sum(of.map((line) => line.costUsd)), sum(of.map((line) => line.savedUsd))];
    return quantity === "0"
      ? []
      : [{ ...(of[0] as BookedLine), quantity, costUsd: plain(costUsd), savedUsd: plain(savedUsd) }];
  });
}

const plain = (amount: string | null): string | null => amount && addMoney(amount, "0");

function count(report: RerateReport, call: BilledCall, changes: readonly Change[]): void {
  report.calls++;
  for (const { before, after } of changes)
    countLine(report, before.product ?? call.model ?? "", before.costUsd, after.costUsd);
}

/** Under the next numbers of what the line is of. */
function adjust(lines: readonly BookedLine[], changes: readonly Change[]): BookedLine[] {
  const tops = new Map<string, number>();
  for (const line of lines) tops.set(keyOf(line), Math.max(line.adjustment, tops.get(keyOf(line)) ?? 0));
  const next = (line: BookedLine) => {
    const number = (tops.get(keyOf(line)) ?? 0) + 1;
    tops.set(keyOf(line), number);
    return number;
  };
  return changes.flatMap(({ before, after: { price, costUsd, savedUsd } }) => [
    {
      ...before,
      adjustment: next(before),
      quantity: subtractMoney("0", before.quantity),
      costUsd: before.costUsd && subtractMoney("0", before.costUsd),
      savedUsd: before.savedUsd && subtractMoney("0", before.savedUsd),
    },
    {
      ...before,
      adjustment: next(before),
      priceId: price?.id ?? null,
      priceUsd: price?.usd ?? null,
      pricePer: price?.per ?? null,
      costUsd,
      savedUsd,
    },
  ]);
}

const keyOf = ({ direction, modality, cache, unit }: BookedLine): string => `${direction} ${modality} ${cache} ${unit}`;

async function recordersFirst({ lagSeconds }: { lagSeconds(): Promise<number> }): Promise<void> {
  for (let waits = 0; waits < WAITS_MAX && (await lagSeconds()) > LAG_SECONDS; waits++) await sleep(WAIT_MS);
}
