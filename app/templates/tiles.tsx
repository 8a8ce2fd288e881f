import type { View } from "#app/_frame/view.ts";
import { formatCount, formatMoney, formatShare, plural } from "#app/_ui/format.ts";
import { formatRate } from "#app/_ui/format-rate.ts";
import { Money } from "#app/_ui/money.tsx";
import { Tile } from "#app/_ui/tile.tsx";
import type { TemplatesOfPage } from "#db/queries/templates-page.ts";
import { elsewhereHref } from "./query.ts";

/** All of the view, not only the rows on screen. */
export function Tiles({ templates, view }: { templates: TemplatesOfPage; view: View }) {
  const { total, unlabelled, named, topByTokens, topByCost } = templates;
  const some = plural(topByTokens.members, "template");
  return (
    <dl className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3 xl:grid-cols-5">
      <Tile name="Spend" testId="tile-spend" href={elsewhereHref("/spend", view)} value={<Money usd={total.costUsd} />}>
        <p className="text-muted">
          {plural(total.calls, "call")}
          {Number(total.costEstimatedUsd) !== 0 && `; ${formatMoney(total.costEstimatedUsd)} of it estimated`}
        </p>
      </Tile>
      <Tile name="Templates seen" testId="tile-templates" value={formatCount(named.members)}>
        <p className="text-muted">declared ones, and instructions of calls that declare none</p>
      </Tile>
      <Tile name="Top 10 % of templates" testId="tile-top" value={formatRate(topByTokens.tokenShare)}>
        <p className="text-muted">
          {named.members === 0
            ? "no template was seen"
            : `of all tokens, by the ${topByTokens.members === 1 ? "one" : some} with most; the dearest ${
                topByCost.members === 1 ? "one has" : `${formatCount(topByCost.members)} have`
              } ${formatRate(topByCost.costShare)} of spend`}
        </p>
      </Tile>
      <Tile
        name="Calls without a template"
        testId="tile-unlabelled"
        href={elsewhereHref("/calls", view, { template: [""] })}
        value={formatShare(unlabelled.calls, total.calls)}
      >
        <p className="text-muted">
          {plural(unlabelled.calls, "call")}, {formatMoney(unlabelled.costUsd)}
        </p>
      </Tile>
      <Tile
        name="Unpriced calls"
        testId="tile-unpriced"
        href={elsewhereHref("/calls", view, { cost: ["unpriced"] })}
        value={formatCount(total.callsUnpriced)}
      >
        <p className={total.callsUnpriced > 0 ? "text-warn" : "text-muted"}>
          {total.callsUnpriced > 0 ? "what of them has no price is in no amount here" : "no token without a price"}
        </p>
        {total.callsWithoutUsage > 0 && (
          <p className="text-muted">{plural(total.callsWithoutUsage, "call")} without known usage besides</p>
        )}
      </Tile>
    </dl>
  );
}
