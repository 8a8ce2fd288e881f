import type { View } from "#app/_frame/view.ts";
import { formatCount, plural } from "#app/_ui/format.ts";
import { Money } from "#app/_ui/money.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment, formatOffset } from "#app/_ui/time.ts";
import type { RerateRow } from "#db/queries/prices-page.ts";

/** Periods that were priced again: what the lines that changed came to before, and after. */
export function Rerates({ rows, view: { nowMs, zone } }: { rows: readonly RerateRow[]; view: View }) {
  if (rows.length === 0) return <p className="mt-1 text-muted">No period has been priced again.</p>;
  return (
    <ScrollBox name="Priced again" className="mt-1">
      <table className="figures" data-testid="rerates">
        <thead>
          <tr>
            <th scope="col">Started, {formatOffset(nowMs, zone)}</th>
            <th scope="col" className="!text-left">
              Days, UTC
            </th>
            <th scope="col" className="!text-left">
              Models
            </th>
            <th scope="col">Calls changed</th>
            <th scope="col">Lines</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col" className="!text-left">
              By model
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row">
                {formatMoment(row.startedAt.getTime(), zone)}
                {row.finishedAt === null && <span className="block text-warn">not finished: run it again</span>}
              </th>
              <td className="!text-left">
                {row.fromDay} to {row.toDay}
              </td>
              <td className="!text-left">{row.report.of ?? "all"}</td>
              <td>{formatCount(row.calls)}</td>
              <td>{formatCount(row.lines)}</td>
              <td>
                <Amount usd={row.beforeUsd} unpriced={row.report.unpricedBefore} />
              </td>
              <td>
                <Amount usd={row.afterUsd} unpriced={row.report.unpricedAfter} />
              </td>
              <td className="!text-left">
                <ByModel row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function Amount({ usd, unpriced }: { usd: string | null; unpriced: number }) {
  return (
    <>
      {usd === null && unpriced > 0 ? "" : <Money usd={usd} />}
      {unpriced > 0 && <span className="block text-warn">{plural(unpriced, "line")} unpriced</span>}
    </>
  );
}

function ByModel({ row }: { row: RerateRow }) {
  const models = Object.entries(row.report.models);
  return (
    <details>
      <summary className="control">
        {plural(models.length, "model")}
        <span className="sr-only">
          {" "}
          of {row.fromDay} to {row.toDay}
        </span>
      </summary>
      <ul className="mt-1">
        {models.map(([model, { lines, beforeUsd, afterUsd, unpricedBefore, unpricedAfter }]) => (
          <li key={model}>
            {model || "no model named"}: {plural(lines, "line")}, <Amount usd={beforeUsd} unpriced={unpricedBefore} /> →{" "}
            <Amount usd={afterUsd} unpriced={unpricedAfter} />
          </li>
        ))}
      </ul>
    </details>
  );
}
