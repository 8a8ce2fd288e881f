import type { ReactNode } from "react";
import { formatCount, formatMoney, formatShare, plural } from "#app/_ui/format.ts";
import { Glyph } from "#app/_ui/glyph.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import { Tile } from "#app/_ui/tile.tsx";
import { productName } from "#app/_ui/usage-words.ts";
import type { SpendSums } from "#db/queries/spend-sums.ts";
import { callsHref, type SpendView } from "./spend-view.ts";

interface Props {
  view: SpendView;
  total: SpendSums;
  /** Models without a price, with their calls: the largest few. */
  unpriced: readonly { model: string; calls: number }[];
  /** What without a price is listed under a name of its own: a tool, a second model. */
  products: readonly string[];
}

/** The range in six figures. What is not known has its own tile, also when there is none of it. */
export function Tiles({ view, total, unpriced, products }: Props) {
  const { costUsd, callsUnpriced, callsWithoutUsage } = total;
  const unallocated = total.calls - total.callsAllocated;
  const unpricedHref = callsUnpriced > 0 ? callsHref(view, { ...view.filter, cost: ["unpriced"] }) : undefined;
  return (
    <dl className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
      <Tile
        name="Spend"
        testId="tile-spend"
        value={<Money usd={costUsd} unknownCalls={callsUnpriced + callsWithoutUsage} />}
      >
        <Note>
          <span className="block" data-testid="exact-spend">
            {costUsd} USD
          </span>
          {estimatedNote(total)}
        </Note>
      </Tile>
      <Tile name="Calls" testId="tile-calls" value={formatCount(total.calls)} href={callsHref(view, view.filter)}>
        <Note>each attempt counts, as it is paid for; {formatCount(total.callsFailed)} not completed</Note>
      </Tile>
      <Tile
        name="Unpriced calls"
        testId="tile-unpriced"
        value={<Unknown calls={callsUnpriced} />}
        {...(unpricedHref ? { href: unpricedHref } : {})}
      >
        <Note>
          {unpricedNote(callsUnpriced)}
          {unpriced.map(({ model, calls }) => (
            <span key={model} className="block truncate" title={model}>
              {formatCount(calls)} × {model || "no model named"}
            </span>
          ))}
          {products.length > 0 && (
            <span className="block">without a price there: {products.map(productName).join(", ")}</span>
          )}
          {callsUnpriced > 0 && (
            <Link className="text-link inline-flex min-h-6 items-center" href="/settings/prices">
              Give them a price
            </Link>
          )}
        </Note>
      </Tile>
      <Tile name="Calls without usage" testId="tile-without-usage" value={<Unknown calls={callsWithoutUsage} />}>
        <Note>
          {callsWithoutUsage > 0 ? "refused, not billed, or not known: in no amount here" : "none without known usage"}
        </Note>
      </Tile>
      <Tile
        name="Allocated"
        testId="tile-allocated"
        value={formatShare(Number(total.costAllocatedUsd), Number(costUsd))}
      >
        <Note>
          of spend has feature, customer and template
          {unallocated > 0 && `; ${plural(unallocated, "call")} without`}
        </Note>
      </Tile>
      <Tile name="Cache saving" testId="tile-saved" value={<Money usd={total.savedUsd} />}>
        <Note>against the full price of the same input</Note>
      </Tile>
    </dl>
  );
}

const Note = ({ children }: { children: ReactNode }) => (
  <span className="block break-words text-xs text-muted">{children}</span>
);

/** Calls whose cost is not known: loud, unless there are none. */
function Unknown({ calls }: { calls: number }) {
  if (calls <= 0) return formatCount(calls);
  return (
    <span className="inline-flex items-center gap-1.5 text-warn">
      <Glyph name="warn" />
      {formatCount(calls)}
    </span>
  );
}

function estimatedNote({ costUsd, costEstimatedUsd }: SpendSums): string {
  if (Number(costEstimatedUsd) === 0) return "nothing of it estimated";
  return `of which estimated ${formatMoney(costEstimatedUsd)} (${formatShare(Number(costEstimatedUsd), Number(costUsd))})`;
}

function unpricedNote(calls: number): string {
  if (calls < 0) return "calls of a closed month got their price since; it is in this spend";
  return calls === 0
    ? "none whose cost is unknown for want of a price"
    : "cost unknown, or a part of it, which is in no amount here";
}
