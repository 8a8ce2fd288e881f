import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, plural } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import type { CallFacts } from "#db/queries/call-page.ts";
import { COMPARABLE_LIMITS, lookedAmong } from "#db/queries/comparable-calls.ts";
import { type AxisKind, ownOf } from "./axis.ts";
import type { Comparison } from "./comparison.ts";
import { comparisonSentence, NOTABLE } from "./comparison-sentence.ts";
import { USUAL_MIN } from "./usual.ts";
import { Waterfall } from "./waterfall.tsx";
import { WhoseTime } from "./whose-time.tsx";

interface Props {
  call: CallFacts;
  comparison: Comparison;
  kind: AxisKind;
  view: View;
}

/** Was the call slow, whose time was it, and in which stage? */
export function Timing({ call, comparison, kind, view }: Props) {
  return (
    <>
      <p className="mb-3 text-base" data-testid="comparison">
        {comparisonSentence(call, comparison)}
      </p>
      <div className="flex flex-wrap items-start justify-between gap-x-6">
        <WhoseTime moments={call} />
        <AxisPicker id={call.id} kind={kind} view={view} />
      </div>
      <Waterfall call={call} comparison={comparison} kind={kind} />
      {comparison.by !== null && <p className="mt-2 max-w-4xl text-xs text-muted">{definition(call, comparison)}</p>}
    </>
  );
}

function AxisPicker({ id, kind, view }: { id: string; kind: AxisKind; view: View }) {
  return (
    <nav aria-label="Scale" className="mb-3 flex gap-1">
      {(["linear", "log"] as const).map((one) => (
        <Link
          key={one}
          className={`control ${one === kind ? "border-fg bg-surface font-semibold" : ""}`}
          aria-current={one === kind ? "true" : undefined}
          scroll={false}
          href={hrefOf(`/calls/${id}`, { ...view, own: ownOf(id, one) })}
        >
          {one === "log" ? "Log" : "Linear"}
        </Link>
      ))}
    </nav>
  );
}

const SAME = { template: "template", instructions: "instructions", feature: "feature" } as const;

/** What "usually" means here, with every limit. */
function definition(call: CallFacts, { by, n, isNewest }: Comparison): string {
  const { looked, taken } = COMPARABLE_LIMITS;
  return [
    `Comparable: completed calls of the seven days before with the same ${SAME[by ?? "feature"]}, model and endpoint,`,
    `${call.streamed ? "streamed" : "not streamed"} as this one: ${isNewest ? `the newest ${formatCount(n)}` : plural(n, "call")}`,
    `(at most ${formatCount(taken)}, from the newest ${formatCount(looked)} of the ${lookedAmong(call)}).`,
    `A p50 needs ${USUAL_MIN.p50} of them, a p95 ${USUAL_MIN.tail}; both are from raw values.`,
    `Slower or faster means by a factor of ${NOTABLE.times} and ${NOTABLE.ms} ms at least.`,
    "An upload counts as the client's time as far as the upstream was waiting for it; connecting counts as the upstream's.",
  ].join(" ");
}
