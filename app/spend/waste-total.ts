import type { WasteFigures, WasteSums, WasteUnknown } from "#db/queries/waste.ts";
import { addMoney } from "#lib/money.ts";
import { WASTES, type Waste } from "#lib/waste.ts";

/** The known parts together. */
export interface WasteTotal {
  calls: number;
  callsWithoutUsage: number;
  callsUnpriced: number;
  /** In no amount, as far as they were counted. */
  callsOfUnknownCost: number;
  /** null: no part is known. */
  costUsd: string | null;
  costEstimatedUsd: string;
  unknown: { part: Waste; why: WasteUnknown }[];
}

export function wasteTotal(parts: WasteFigures["parts"]): WasteTotal {
  const known: WasteSums[] = [];
  const unknown: WasteTotal["unknown"] = [];
  for (const part of WASTES) {
    const sums = parts[part];
    if (typeof sums === "string") unknown.push({ part, why: sums });
    else known.push(sums);
  }
  const count = (of: (sums: WasteSums) => number) => known.reduce((sum, one) => sum + of(one), 0);
  const money = (of: (sums: WasteSums) => string) => known.map(of).reduce(addMoney, "0");
  const [callsWithoutUsage, callsUnpriced] = [count((one) => one.callsWithoutUsage), count((one) => one.callsUnpriced)];
  return {
    calls: count(({ calls }) => calls),
    callsWithoutUsage,
    callsUnpriced,
    callsOfUnknownCost: callsWithoutUsage + callsUnpriced,
    costUsd: known.length > 0 ? money(({ costUsd }) => costUsd) : null,
    costEstimatedUsd: money((one) => one.costEstimatedUsd),
    unknown,
  };
}
