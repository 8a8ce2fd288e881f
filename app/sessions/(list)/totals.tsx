import { formatCount, formatDuration } from "#app/_ui/format.ts";
import type { SessionTotals } from "#db/queries/session-list.ts";

/** From so many turns on a percentile says something. */
const LEAST = { p50: 20, p95: 100, p99: 500 } as const;

/** All sessions of the view, not the rows on screen. */
export function Totals({ totals }: { totals: SessionTotals }) {
  const { sessions, turns, bargeIns, falseBargeIns, wastedMs, waits } = totals;
  return (
    <dl className="mb-3 flex flex-wrap gap-x-6 gap-y-1" data-testid="session-totals">
      <Figure name="Sessions" value={formatCount(sessions)} note={`${formatCount(turns)} turns`} />
      <Figure name="First audio" value={waitsOf(waits)} note={`n ${formatCount(waits.n)}`} />
      <Figure name="Barge-ins" value={formatCount(bargeIns)} note={`and ${formatCount(falseBargeIns)} false`} />
      <Figure name="Never heard" value={formatDuration(wastedMs)} note="of audio that was generated" />
    </dl>
  );
}

function waitsOf(waits: SessionTotals["waits"]): string {
  const told = (["p50", "p95", "p99"] as const).filter((rank) => waits.n >= LEAST[rank]);
  if (told.length === 0) return waits.n === 0 ? "—" : `too few turns, p50 needs ${LEAST.p50}`;
  return told.map((rank) => `${rank} ${formatDuration(waits[rank])}`).join(" · ");
}

function Figure({ name, value, note }: { name: string; value: string; note: string }) {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd>
        <span className="font-semibold">{value}</span> <span className="text-muted">{note}</span>
      </dd>
    </div>
  );
}
