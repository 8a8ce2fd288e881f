import type { View } from "#app/_frame/view.ts";
import { formatCount, plural } from "#app/_ui/format.ts";
import { formatMoment, formatOffset } from "#app/_ui/time.ts";
import type { Drop } from "#db/queries/health-spools.ts";
import { dropWords } from "./drop-words.ts";

/** Calls that reached the upstream and were not recorded: why, when, and what helps. */
export function Drops({ drops, view: { zone } }: { drops: readonly Drop[]; view: View }) {
  if (drops.length === 0) return <p className="mt-1 text-muted">Nothing: every accepted call was recorded.</p>;
  return (
    <ul className="mt-1 max-w-4xl" data-testid="drops">
      {drops.map(({ reason, calls, spools, firstAt, lastAt }) => {
        const { what, todo } = dropWords(reason);
        return (
          <li key={reason} className="border-b border-rule py-2">
            <span className="font-semibold">{plural(calls, "call")}</span>: {what}{" "}
            <code className="font-mono text-muted">{reason}</code>. {todo}
            <br />
            <span className="text-muted">
              Between {formatMoment(firstAt.getTime(), zone)} and {formatMoment(lastAt.getTime(), zone)}{" "}
              {formatOffset(lastAt.getTime(), zone)}, on {formatCount(spools)} {spools === 1 ? "spool" : "spools"}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
