import type { ReactNode } from "react";
import type { View } from "#app/_frame/view.ts";
import { formatCount, formatMoney, formatShare, plural } from "#app/_ui/format.ts";
import { formatRate } from "#app/_ui/format-rate.ts";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import type { TemplateSums } from "#db/queries/templates-page.ts";
import type { RowName } from "./names.ts";
import { elsewhereHref } from "./query.ts";

/** With a name that a filter can say, calls and cost lead to the same calls on their own pages. */
export function Figures({ sums, name, view }: { sums: TemplateSums; name?: RowName; view?: View }) {
  const unknownCalls = sums.callsUnpriced + sums.callsWithoutUsage;
  const some = sums.callsUnpriced > 0;
  const isLowerBound = unknownCalls > 0 && Number(sums.costUsd) !== 0;
  const to = (path: string, of: string, figure: ReactNode) =>
    name?.filter && view ? (
      <Link
        className="text-link inline-flex min-h-6 items-center"
        href={elsewhereHref(path, view, name.filter)}
        aria-label={`${of} of ${name.text}`}
      >
        {figure}
      </Link>
    ) : (
      figure
    );
  return (
    <>
      <td>{to("/calls", plural(sums.calls, "call"), formatCount(sums.calls))}</td>
      <td>{to("/spend", formatMoney(sums.costUsd), <Cost sums={sums} />)}</td>
      <td>{formatRate(sums.costShare)}</td>
      <td title={isLowerBound ? "At least: calls are counted whose cost is not known" : undefined}>
        {isLowerBound && "≥ "}
        <Money usd={sums.costPerThousandUsd} unknownCalls={unknownCalls} />
      </td>
      <td>{formatCount(sums.inputTokens)}</td>
      <td>{formatCount(sums.cachedTokens)}</td>
      <td>{formatCount(sums.outputTokens)}</td>
      <td>{formatShare(sums.cachedTokens, sums.inputTokens + sums.cachedTokens)}</td>
      <td className={some ? "text-warn" : "text-muted"}>{formatCount(sums.callsUnpriced)}</td>
      <td>{formatShare(sums.callsFailed, sums.calls)}</td>
    </>
  );
}

function Cost({ sums }: { sums: TemplateSums }) {
  const { costUsd, costEstimatedUsd, callsUnpriced, callsWithoutUsage } = sums;
  if (Number(costEstimatedUsd) === 0) return <Money usd={costUsd} unknownCalls={callsUnpriced + callsWithoutUsage} />;
  return <span title={`${costUsd} USD, ${costEstimatedUsd} of it estimated`}>~{formatMoney(costUsd)}</span>;
}
