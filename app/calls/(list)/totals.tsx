import { formatCount, formatMoney, plural } from "#app/_ui/format.ts";
import type { Slot } from "#db/queries/calls-page.ts";
import type { SpendTotal } from "#db/queries/spend-source.ts";

export type Total = Omit<Slot, "slot" | "outcome"> & { notCompleted: number };

export function sumOf(slots: readonly Slot[]): Total {
  const total: Total = {
    calls: 0,
    operations: 0,
    notCompleted: 0,
    inputTokens: 0,
    cachedTokens: 0,
    outputTokens: 0,
    inputTokensEstimated: 0,
    outputTokensEstimated: 0,
    callsWithoutUsage: 0,
  };
  for (const slot of slots) {
    total.calls += slot.calls;
    total.operations =
      total.operations === null || slot.operations === null ? null : total.operations + slot.operations;
    if (slot.outcome !== "completed") total.notCompleted += slot.calls;
    total.inputTokens += slot.inputTokens;
    total.cachedTokens += slot.cachedTokens;
    total.outputTokens += slot.outputTokens;
    total.inputTokensEstimated += slot.inputTokensEstimated;
    total.outputTokensEstimated += slot.outputTokensEstimated;
    total.callsWithoutUsage += slot.callsWithoutUsage;
  }
  return total;
}

interface Props {
  total: Total;
  spent: SpendTotal | null;
  /** The money is that of the calls themselves, not what is booked in the range. */
  begun: boolean;
}

/** Sums over all calls of the view, not over the rows on screen. Reported, estimated and unknown stay apart. */
export function Totals({ total, spent, begun }: Props) {
  const estimated = total.inputTokensEstimated + total.outputTokensEstimated;
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-1" data-testid="totals">
      <Figure
        name="Operations"
        value={formatCount(total.operations)}
        note={
          total.operations === null ? "being counted again since the last upgrade" : "first attempts of these calls"
        }
      />
      <Figure
        name="Calls"
        value={formatCount(total.calls)}
        note={plural(total.notCompleted, "not completed", "not completed")}
      />
      {spent && (
        <Figure
          name="Cost"
          value={formatMoney(spent.costUsd)}
          exactly={`${spent.costUsd} USD`}
          note={[
            begun && "of these calls, whatever day it is booked on",
            spent.costEstimatedUsd !== "0" && `~${formatMoney(spent.costEstimatedUsd)} of it estimated`,
            spent.callsUnpriced > 0 &&
              `${plural(spent.callsUnpriced, "call")} with a part unpriced, which is in no amount`,
          ]
            .filter(Boolean)
            .join("; ")}
        />
      )}
      <Figure
        name="Input tokens"
        value={formatCount(total.inputTokens)}
        note={`${formatCount(total.cachedTokens)} of them cached`}
      />
      <Figure name="Output tokens" value={formatCount(total.outputTokens)} />
      {estimated > 0 && (
        <Figure
          name="Estimated besides"
          value={`~${formatCount(total.inputTokensEstimated)} in, ~${formatCount(total.outputTokensEstimated)} out`}
        />
      )}
      {total.callsWithoutUsage > 0 && (
        <Figure name="Usage unknown" value={plural(total.callsWithoutUsage, "call")} note="in no token sum" />
      )}
    </dl>
  );
}

interface FigureProps {
  name: string;
  value: string;
  exactly?: string;
  note?: string;
}

function Figure({ name, value, exactly, note }: FigureProps) {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd>
        <span className="font-semibold" title={exactly}>
          {value}
        </span>
        {note && <span className="ml-1.5 text-xs text-muted">{note}</span>}
      </dd>
    </div>
  );
}
