import type { ReactNode } from "react";
import { formatCount, formatShare, plural } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { OTHER } from "#db/queries/call-filter.ts";
import type { Spend, SpendOfGroup } from "#db/queries/spend-page.ts";
import type { SpendSums, TokenKind } from "#db/queries/spend-sums.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { GROUPINGS, nameOfGroup, narrowed } from "./groupings.ts";
import { callsHref, type SpendView, spendHref } from "./spend-view.ts";

/** One row per group, dearest first; the last row is the tiles. */
export function GroupTable({ view, spend }: { view: SpendView; spend: Spend }) {
  const { total, groups, rest } = spend;
  const { label, many } = GROUPINGS[view.grouping];
  return (
    <>
      <ScrollBox name={`Spend by ${label.toLowerCase()}`} className="mt-1 md:max-h-[78vh] md:overflow-y-auto">
        <table
          className="figures w-full [&_tfoot_td]:sticky [&_tfoot_td]:bottom-0 [&_tfoot_td]:bg-bg [&_tfoot_th]:sticky [&_tfoot_th]:bottom-0 [&_tfoot_th]:bg-bg [&_th:first-child]:sticky [&_th:first-child]:left-0 [&_th:first-child]:bg-bg [&_thead_th]:sticky [&_thead_th]:top-0 [&_thead_th]:z-1 [&_thead_th]:bg-bg"
          data-testid="table-groups"
        >
          <thead>
            <tr>
              <th scope="col">{label}</th>
              <th scope="col">Spend</th>
              <th scope="col">Share</th>
              <th scope="col">Calls</th>
              <th scope="col">Per 1,000 calls</th>
              <th scope="col">Input tokens</th>
              <th scope="col">Cached</th>
              <th scope="col">Output tokens</th>
              <th scope="col">
                <span title="Cached, of all input tokens">Cache share</span>
              </th>
              <th scope="col">Unpriced calls</th>
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <GroupRow key={`${group.name}@${group.version}`} {...{ view, group, total }} />
            ))}
            {rest && (
              <tr data-testid="row-more">
                <th scope="row" className="text-muted">
                  {plural(rest.groups, `more ${label.toLowerCase()}`, `more ${many}`)}
                </th>
                <Figures sums={rest} total={total} calls={formatCount(rest.calls)} />
              </tr>
            )}
          </tbody>
          <tfoot>
            <tr data-testid="row-total">
              <th scope="row">Total</th>
              <Figures sums={total} total={total} calls={formatCount(total.calls)} />
            </tr>
          </tfoot>
        </table>
      </ScrollBox>
      {groups.some(({ name }) => name === OTHER) && (
        <p className="py-2 text-xs text-muted">
          {OTHER}: values beyond the first 500 of a quarter of an hour are kept together. The list of calls has each of
          them.
        </p>
      )}
    </>
  );
}

function GroupRow({ view, group, total }: { view: SpendView; group: SpendOfGroup; total: SpendSums }) {
  const { grouping } = view;
  const { next, allocates } = GROUPINGS[grouping];
  const name = nameOfGroup(grouping, group);
  const filter = narrowed(view.filter, grouping, group);
  return (
    <tr data-testid={`row-${name}`}>
      <th scope="row">
        {filter ? (
          <Link
            className="text-link inline-flex min-h-6 max-w-72 items-center"
            href={spendHref(view, { filter, grouping: next })}
            title={`${name}, by ${GROUPINGS[next].label.toLowerCase()}`}
          >
            <span className={`truncate ${group.name === "" ? "italic" : ""}`}>{name}</span>
          </Link>
        ) : (
          <span title="Values beyond what is kept apart; explained below">{name}</span>
        )}
        {group.name === "" && allocates && (
          <span className="ml-2 rounded-sm border border-warn px-1 text-xs text-warn">unallocated</span>
        )}
      </th>
      <Figures
        sums={group}
        total={total}
        calls={
          filter ? (
            <Link className="text-link" href={callsHref(view, filter)} title={`Calls of ${name}`}>
              {formatCount(group.calls)}
            </Link>
          ) : (
            formatCount(group.calls)
          )
        }
        unpricedHref={filter && callsHref(view, { ...filter, cost: ["unpriced"] })}
      />
    </tr>
  );
}

interface FiguresProps {
  sums: SpendSums;
  total: SpendSums;
  calls: ReactNode;
  unpricedHref?: string | null;
}

function Figures({ sums, total, calls, unpricedHref = null }: FiguresProps) {
  const input = tokensOf(sums, "input");
  const cached = tokensOf(sums, "cached");
  const unknownCalls = sums.callsUnpriced + sums.callsWithoutUsage;
  const isLowerBound = unknownCalls > 0 && Number(sums.costUsd) !== 0;
  return (
    <>
      <td>
        <Money
          usd={sums.costUsd}
          estimated={sums.costUsd !== "0" && sums.costUsd === sums.costEstimatedUsd}
          unknownCalls={unknownCalls}
        />
      </td>
      <td>{formatShare(Number(sums.costUsd), Number(total.costUsd))}</td>
      <td>{calls}</td>
      <td>
        {isLowerBound && <span title="At least: the cost of some of these calls is unknown">≥ </span>}
        <Money usd={sums.costPerThousandCallsUsd} unknownCalls={unknownCalls} />
      </td>
      <td>{formatCount(input)}</td>
      <td>{formatCount(cached)}</td>
      <td>{formatCount(tokensOf(sums, "output"))}</td>
      <td>{formatShare(cached, input + cached)}</td>
      <td className={sums.callsUnpriced > 0 ? "text-warn" : ""}>
        {unpricedHref && sums.callsUnpriced > 0 ? (
          <Link className="underline underline-offset-2" href={unpricedHref}>
            {formatCount(sums.callsUnpriced)}
          </Link>
        ) : (
          formatCount(sums.callsUnpriced)
        )}
      </td>
    </>
  );
}

const tokensOf = ({ cells }: SpendSums, kind: TokenKind): number =>
  MODALITIES.reduce((sum, { name }) => sum + cells[name][kind].tokens, 0);
