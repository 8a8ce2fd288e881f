import type { UsageSource } from "#lib/call.ts";
import { formatMoney, UNKNOWN } from "./format.ts";

interface Props {
  /** Sum of the priced lines, an exact decimal; null: none is priced. */
  costUsd: string | null;
  unpriced: boolean;
  usageSource: UsageSource;
  problems: readonly string[];
}

/** What a call cost. Unknown is not zero: without a price it says "unpriced", without a usage it is a dash. */
export function Cost({ costUsd, unpriced, usageSource, problems }: Props) {
  if (problems.includes("usage_inconsistent"))
    return <Unpriced why="The usage contradicts itself, so nothing was priced" />;
  if (unpriced && costUsd === null)
    return <Unpriced why="The price book has no price for this model, tier or kind of token" />;
  if (unpriced)
    return (
      <span className="inline-flex items-center gap-1" title={`${costUsd} USD, and a part without a price`}>
        ≥ {formatMoney(costUsd)} <Unpriced why="A part of the usage has no price" />
      </span>
    );
  if (usageSource === "none") return <span title="No usage is known, so its cost is not">{UNKNOWN}</span>;
  const exact = costUsd ?? "0";
  return (
    <span title={`${exact} USD${usageSource === "estimated" ? ", estimated" : ""}`}>
      {usageSource === "estimated" && "~"}
      {formatMoney(exact)}
    </span>
  );
}

export function Unpriced({ why }: { why: string }) {
  return (
    <span className="rounded-sm border border-warn px-1 text-xs text-warn" title={why}>
      unpriced
    </span>
  );
}
