import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatDuration, formatShare, UNKNOWN } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { WaitsOfGroup } from "#db/queries/session-waits.ts";
import { GROUPS_MAX } from "./read-sessions.ts";
import { LEAST } from "./totals.tsx";

interface Props {
  /** One more than is shown says that there are more. */
  groups: readonly WaitsOfGroup[];
  /** The same hours a week before. */
  before: readonly WaitsOfGroup[];
  view: View;
}

/** Who waited, for what, and what of it nobody heard. */
export function WaitsByGroup({ groups, before, view }: Props) {
  const shown = groups.slice(0, GROUPS_MAX);
  return (
    <div className="min-w-0">
      <ScrollBox name="Waits by feature and model">
        <table className="figures w-full [&_td]:!px-1.5 [&_th]:!px-1.5" data-testid="table-waits">
          <caption className="sr-only">Waits for the first audio by feature and model</caption>
          <thead>
            <tr>
              <th scope="col">Feature</th>
              <th scope="col" className="!text-left">
                Model
              </th>
              <th scope="col">p50</th>
              <th scope="col">p95</th>
              <th scope="col">
                <span title="p50 of the same hours a week before">Week before</span>
              </th>
              <th scope="col">n</th>
              <th scope="col">Noticed</th>
              <th scope="col">Tools</th>
              <th scope="col">Upstream</th>
              <th scope="col">Barge-ins</th>
              <th scope="col">Never heard</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((group) => (
              <Row
                key={keyOf(group)}
                group={group}
                was={before.find((one) => keyOf(one) === keyOf(group))}
                view={view}
              />
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="mt-1 max-w-4xl text-xs text-muted">
        From the end of the user's input to the first audio, over n turns; p50 from {LEAST.p50} turns on, p95 from{" "}
        {LEAST.p95}. Its parts, in means: until the end was noticed and an answer begun (the silence that the turn
        detection waits for, a setting of the session), in the application's own tools, and the rest, which is the
        upstream's and the network's. Barge-ins per answered turn.
        {groups.length > shown.length && ` The ${GROUPS_MAX} with most turns; there are more.`}
      </p>
    </div>
  );
}

const keyOf = ({ feature, model }: WaitsOfGroup) => JSON.stringify([feature, model]);

function Row({ group, was, view }: { group: WaitsOfGroup; was: WaitsOfGroup | undefined; view: View }) {
  const { feature, model, n, p50Ms, p95Ms, bargeIns, wastedMs, wastedUsd, wastedUnpriced } = group;
  const href = hrefOf("/sessions", view, {
    filter: { ...view.filter, feature: [feature ?? ""], model: [model ?? ""] },
  });
  return (
    <tr>
      <th scope="row" className="max-w-32 truncate" title={feature ?? undefined}>
        <Link className="text-link" href={href}>
          {feature ?? "none given"}
        </Link>
      </th>
      <td className="max-w-36 truncate !text-left" title={model ?? undefined}>
        {model ?? UNKNOWN}
      </td>
      <td className="font-semibold">{formatDuration(n < LEAST.p50 ? null : p50Ms)}</td>
      <td>{formatDuration(n < LEAST.p95 ? null : p95Ms)}</td>
      <td className="text-muted" title={was && `n ${formatCount(was.n)}`}>
        {formatDuration(was && was.n >= LEAST.p50 ? was.p50Ms : null)}
      </td>
      <td>{formatCount(n)}</td>
      <td>{formatDuration(group.noticedMs)}</td>
      <td>{formatDuration(group.toolMs)}</td>
      <td>{formatDuration(group.modelMs)}</td>
      <td title={`${formatCount(bargeIns)} in ${formatCount(n)} turns`}>
        {n === 0 ? formatCount(bargeIns) : formatShare(bargeIns, n)}
      </td>
      <td title={wastedUsd === null ? undefined : `${wastedUsd} USD`}>
        {wastedMs === 0 ? (
          <span className="text-muted">0</span>
        ) : (
          <>
            {formatDuration(wastedMs)}
            <span className="block text-xs text-muted">
              {wastedUnpriced > 0 && wastedUsd !== null && "≥ "}
              <Money usd={wastedUsd} unknownCalls={wastedUnpriced} />
            </span>
          </>
        )}
      </td>
    </tr>
  );
}
