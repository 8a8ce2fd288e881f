import { formatMoney, plural } from "#app/_ui/format.ts";
import { formatMoment, monthName, timeParts } from "#app/_ui/time.ts";
import type { ClosedMonth } from "#db/queries/spend-page.ts";
import { addMoney } from "#lib/money.ts";

/** Which months of the range can change no more, and what they came to. */
export function ClosedMonths({ months, zone }: { months: readonly ClosedMonth[]; zone: string }) {
  if (!months.length) return <p className="text-muted">No month of this range is closed: figures can still change.</p>;
  return (
    <ul aria-label="Closed months" className="text-muted" data-testid="closed-months">
      {months.map((month) => (
        <li key={month.month} className="flex flex-wrap items-center gap-x-1.5">
          <Lock />
          <span className="text-fg">{nameOf(month)}</span>
          <span title={formatMoment(month.closedAt.getTime(), zone)}>
            closed {timeParts(month.closedAt.getTime(), zone).day}
            {month.closedBy && ` by ${month.closedBy}`}
            {month.report && `: ${reportOf(month.report)}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

const nameOf = ({ month }: ClosedMonth) => `${monthName(Number(month.slice(5, 7)))} ${month.slice(0, 4)}`;

function reportOf({ costUsd, costEstimatedUsd, calls }: NonNullable<ClosedMonth["report"]>): string {
  const usd = addMoney(costUsd, costEstimatedUsd);
  return `${formatMoney(usd)} (${usd} USD) for ${plural(calls, "call")} with usage, in days of UTC`;
}

function Lock() {
  return (
    <svg aria-hidden="true" width="12" height="12" viewBox="0 0 12 12" className="shrink-0">
      <path d="M3 5.5h6v5H3zM4 5.5V4a2 2 0 0 1 4 0v1.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
    </svg>
  );
}
