import { valueName } from "#app/_frame/filter-bar.tsx";
import { hrefOf, type View } from "#app/_frame/view.ts";
import { Cost } from "#app/_ui/cost.tsx";
import { formatDuration, formatMoney, plural, UNKNOWN } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { OUTCOME_LOOKS } from "#app/_ui/outcomes.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { Status } from "#app/_ui/status.tsx";
import { formatMoment } from "#app/_ui/time.ts";
import type { CallFacts } from "#db/queries/call-page.ts";
import type { Outcome, UsageSource } from "#lib/call.ts";
import { type Attempts as AllAttempts, type PlacedAttempt, placeAttempts } from "./place-attempts.ts";

interface Props {
  call: CallFacts;
  rows: Parameters<typeof placeAttempts>[0];
  /** There are more, which were not read. */
  isCut: boolean;
  view: View;
}

/** The calls of one operation on one time axis: how often was it tried, how long was waited between, what did it cost? */
export function Attempts({ call, rows, isCut, view }: Props) {
  const all = placeAttempts(rows);
  return (
    <>
      <p className="mb-2 text-base" data-testid="attempts-cost">
        {costSentence(all)}
        {isCut && ` Only the first ${rows.length} calls of the operation are counted here.`}
      </p>
      <ScrollBox name="Calls of the operation">
        <table className="figures w-full min-w-[760px]" data-testid="table-attempts">
          <caption className="sr-only">Calls of the operation, in the order in which they began</caption>
          <thead>
            <tr>
              <th scope="col" className="w-56">
                Started
              </th>
              <th scope="col" className="w-full">
                <span className="flex justify-between font-normal">
                  <span>0</span>
                  <span>{formatDuration(all.endMs)}</span>
                </span>
              </th>
              <th scope="col">Attempt</th>
              <th scope="col">Waited before</th>
              <th scope="col">Took</th>
              <th scope="col">Cost</th>
              <th scope="col">Ended</th>
              <th scope="col">Waste</th>
            </tr>
          </thead>
          <tbody>
            {all.placed.map((one) => (
              <Row key={one.row.id} one={one} endMs={all.endMs} isThis={one.row.id === call.id} view={view} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </>
  );
}

function Row({ one, endMs, isThis, view }: { one: PlacedAttempt; endMs: number; isThis: boolean; view: View }) {
  const { row, fromMs, toMs, waitedMs, waste } = one;
  const at = formatMoment(row.startedAt.getTime(), view.zone);
  const outcome = row.outcome as Outcome;
  const percent = (ms: number) => (ms / endMs) * 100;
  return (
    <tr>
      <th scope="row" className="whitespace-nowrap">
        {isThis ? (
          <span aria-current="page">{at}, this call</span>
        ) : (
          <Link className="text-link" href={hrefOf(`/calls/${row.id}`, view)}>
            {at}
          </Link>
        )}
      </th>
      <td className="relative">
        <span
          className={`stage absolute inset-y-2 min-w-[2px] rounded-sm bg-current ${OUTCOME_LOOKS[outcome].colour}`}
          style={{
            left: `min(${percent(fromMs)}%, calc(100% - 2px))`,
            width: `${percent((toMs ?? fromMs) - fromMs)}%`,
          }}
        />
      </td>
      <td>{row.attempt + 1}</td>
      <td>{waitedInWords(waitedMs)}</td>
      <td>{formatDuration(row.durationMs)}</td>
      <td>
        <Cost {...row} usageSource={row.usageSource as UsageSource} />
      </td>
      <td>
        <Status outcome={outcome} status={row.status} />
      </td>
      <td className="whitespace-nowrap">{waste && valueName("waste", waste)}</td>
    </tr>
  );
}

function waitedInWords(waitedMs: number | null): string {
  if (waitedMs === null) return UNKNOWN;
  return waitedMs < 0 ? "overlapping" : formatDuration(waitedMs);
}

function costSentence({ placed, costUsd, wasteUsd, wasteUnknown, unpriced }: AllAttempts): string {
  if (costUsd === null) return "What they cost is not known.";
  const all = `Together they cost ${unpriced ? "at least " : ""}${formatMoney(costUsd)}`;
  if (!placed.some(({ row }) => row.outcome === "completed")) return `${all}, all of it waste: none completed.`;
  const rest = wasteUnknown > 0 ? ` Of ${plural(wasteUnknown, "call")} that bought nothing the cost is not known.` : "";
  if (wasteUsd === null) return `${all}, none of it known as waste.${rest}`;
  return `${all}; ${formatMoney(wasteUsd)} of it is waste: paid for attempts that did not complete, or that a later one made again.${rest}`;
}
