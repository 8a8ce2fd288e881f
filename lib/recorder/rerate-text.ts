import { addMoney, subtractMoney } from "#lib/money.ts";
import type { Difference, RerateReport } from "#lib/rerate-report.ts";
import type { Looked } from "./rerate-calls.ts";

/** The report for people. */
export function writeRerate(report: RerateReport, looked: Looked, dryRun: boolean): string {
  const open = looked.calls - looked.closedCalls;
  const lines = [
    `${looked.calls} calls were looked at; ${open} of them are in open months.`,
    ...(looked.closedCalls
      ? [
          `Skipped: ${looked.closedCalls} calls of closed months stay as they are; ${looked.closedDiffer} of them would be priced otherwise now.`,
        ]
      : []),
    report.calls === 0
      ? "All of them are priced as the present price book says: nothing differs."
      : `${report.lines} lines of ${report.calls} calls are priced otherwise now: ${amounts(report)}.`,
    ...Object.entries(report.models)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([model, of]) => `  ${model || "(no model named)"}: ${of.lines} lines, ${amounts(of)}`),
    dryRun
      ? "Nothing was written (--dry-run)."
      : "What differed is booked as a reversal and a new line, on the day of its call.",
  ];
  return lines.join("\n");
}

function amounts({ beforeUsd, afterUsd, unpricedBefore, unpricedAfter }: Difference): string {
  const change = subtractMoney(afterUsd ?? "0", beforeUsd ?? "0");
  const unknown = (lines: number) => (lines ? ` and ${lines} unpriced` : "");
  const usd = (amount: string | null) => `${addMoney(amount ?? "0", "0")} USD`;
  return `${usd(beforeUsd)}${unknown(unpricedBefore)} before, ${usd(afterUsd)}${unknown(unpricedAfter)} now (${change.startsWith("-") ? "" : "+"}${change} USD known)`;
}
