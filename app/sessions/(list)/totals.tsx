import type { ReactNode } from "react";
import { formatCount, formatDuration, plural } from "#app/_ui/format.ts";
import { Money } from "#app/_ui/money.tsx";
import type { SessionsCost, SessionTotals } from "#db/queries/session-list.ts";
import { COST_SESSIONS_MAX } from "./read-sessions.ts";

/** From so many turns on a percentile says something. */
export const LEAST = { p50: 20, p95: 100, p99: 500 } as const;

interface Props {
  totals: SessionTotals;
  /** null: they are too many to be added up here. */
  cost: SessionsCost | null;
}

/** All sessions of the view, not the rows on screen. */
export function Totals({ totals, cost }: Props) {
  const { sessions, turns, bargeIns, falseBargeIns, wastedMs, wastedUsd, wastedUnpriced, waits } = totals;
  return (
    <dl className="mb-3 flex flex-wrap gap-x-6 gap-y-1" data-testid="session-totals">
      <Figure name="Sessions" value={formatCount(sessions)} note={plural(turns, "turn")} />
      <Figure
        name="Cost"
        value={cost === null ? "—" : <CostOf {...cost} />}
        note={
          cost === null
            ? `of more than ${formatCount(COST_SESSIONS_MAX)} sessions is not added up here: see Spend`
            : `of ${plural(cost.calls, "call")}${cost.callsUnpriced > 0 ? `, ${formatCount(cost.callsUnpriced)} unpriced` : ""}`
        }
      />
      <Figure name="First audio" value={waitsOf(waits)} note={`n ${formatCount(waits.n)}`} />
      <Figure name="Barge-ins" value={formatCount(bargeIns)} note={`and ${formatCount(falseBargeIns)} false`} />
      <Figure
        name="Never heard"
        value={formatDuration(wastedMs)}
        note={
          <>
            of audio that was generated
            {wastedMs > 0 && (
              <>
                {", for "}
                {wastedUsd !== null && <span title={`${wastedUsd} USD`}>{<Money usd={wastedUsd} />}</span>}
                {wastedUnpriced > 0 &&
                  ` ${wastedUsd === null ? "" : "and "}${plural(wastedUnpriced, "session")} unpriced`}
              </>
            )}
          </>
        }
      />
    </dl>
  );
}

function CostOf({ costUsd, callsUnpriced }: SessionsCost) {
  return (
    <span title={costUsd === null ? undefined : `${costUsd} USD`} data-testid="sessions-cost">
      {callsUnpriced > 0 && Number(costUsd ?? 0) !== 0 && "≥ "}
      <Money usd={costUsd} unknownCalls={callsUnpriced} />
    </span>
  );
}

/** "p50 538 ms · p95 795 ms", as far as there are turns enough. */
export function waitsOf(waits: SessionTotals["waits"]): string {
  const told = (["p50", "p95", "p99"] as const).filter((rank) => waits.n >= LEAST[rank]);
  if (told.length === 0) return waits.n === 0 ? "—" : `too few turns, p50 needs ${LEAST.p50}`;
  return told.map((rank) => `${rank} ${formatDuration(waits[rank])}`).join(" · ");
}

function Figure({ name, value, note }: { name: string; value: ReactNode; note: ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd>
        <span className="font-semibold">{value}</span> <span className="text-muted">{note}</span>
      </dd>
    </div>
  );
}
