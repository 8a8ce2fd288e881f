import { hrefOf, type View } from "#app/_frame/view.ts";
import { Cost } from "#app/_ui/cost.tsx";
import { DurationBar } from "#app/_ui/duration-bar.tsx";
import { UNKNOWN } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Modalities } from "#app/_ui/modalities.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { Status } from "#app/_ui/status.tsx";
import { formatMomentFully, formatOffset, timeParts } from "#app/_ui/time.ts";
import type { CallRow } from "#db/queries/calls-page.ts";
import { RowKeys } from "../calls/(list)/row-keys.tsx";

/** The newest calls in few columns; the list of calls has the others. */
export function LiveTable({ rows, view }: { rows: readonly CallRow[]; view: View }) {
  return (
    <RowKeys>
      <ScrollBox name="Newest calls">
        <table className="calls" data-testid="table-live" aria-live="off">
          <thead>
            <tr>
              <th scope="col">Time, {formatOffset(view.nowMs, view.zone)}</th>
              <th scope="col">Feature</th>
              <th scope="col">Model</th>
              <th scope="col">In → out</th>
              <th scope="col" className="number">
                Duration
              </th>
              <th scope="col" className="number">
                Cost
              </th>
              <th scope="col">Status</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.id} row={row} view={view} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </RowKeys>
  );
}

function Row({ row, view }: { row: CallRow; view: View }) {
  const at = row.startedAt.getTime();
  const { day, second } = timeParts(at, view.zone);
  const model = row.model ?? row.requestModel;
  return (
    <tr data-testid={`row-${row.id}`}>
      <td>
        <Link
          href={hrefOf(`/calls/${row.id}`, view, { filter: {} })}
          className="inline-flex min-h-6 items-center gap-1.5 rounded-sm"
          title={formatMomentFully(at, view.zone)}
          data-row
        >
          <span className="text-muted">{day}</span> <span className="font-medium">{second}</span>
        </Link>
      </td>
      <td className="name" title={row.feature ?? undefined}>
        {row.feature ?? <span className="text-muted">{UNKNOWN}</span>}
      </td>
      <td className={`name model ${row.model === null ? "text-muted italic" : ""}`} title={model ?? undefined}>
        {model ?? UNKNOWN}
      </td>
      <td>
        <Modalities input={row.inputModalities} output={row.outputModalities} />
      </td>
      <td className="number">
        <DurationBar ms={row.durationMs} />
      </td>
      <td className="number">
        <Cost {...row} />
      </td>
      <td>
        <Status outcome={row.outcome} status={row.status} />
      </td>
    </tr>
  );
}
