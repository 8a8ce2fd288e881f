import { hrefOf, type View } from "#app/_frame/view.ts";
import { Link } from "#app/_ui/link.tsx";
import type { CallFacts } from "#db/queries/call-page.ts";
import type { CallParent } from "#db/queries/call-parent.ts";
import { type AxisKind, ownOf } from "./axis.ts";

interface Props {
  call: CallFacts;
  kind: AxisKind;
  view: View;
  parent: CallParent | null;
  neighbours: { older: string | null; newer: string | null };
}

/** The list that this call was chosen from, and the calls beside it there. */
export function Way({ call, parent, kind, view, neighbours }: Props) {
  const to = (id: string | null, label: string, rel: string) =>
    id ? (
      <Link className="control" href={hrefOf(`/calls/${id}`, { ...view, own: ownOf(id, kind) })} rel={rel}>
        {label}
      </Link>
    ) : (
      <span className="px-2 text-muted">{rel === "prev" ? "No newer call" : "No older call"}</span>
    );
  return (
    <nav aria-label="Calls" className="flex w-full flex-wrap items-center gap-2">
      <Link className="control" href={hrefOf("/calls", view)}>
        ← All calls
      </Link>
      {call.feature !== null && (
        <Link
          className="control min-w-0 max-w-full"
          href={hrefOf("/calls", view, { filter: { feature: [call.feature] } })}
        >
          <span className="truncate">Calls of {call.feature}</span>
        </Link>
      )}
      {parent && (
        <Link className="control" href={hrefOf(`/${parent.kind}s/${parent.id}`, view)} data-testid="parent">
          {parent.kind === "session" ? "Its session" : "The call it came out of"}
        </Link>
      )}
      <a className="control" href={`/calls/${call.id}/recording`} download data-testid="recording">
        Export as a recording
      </a>
      <span className="ml-auto flex flex-wrap items-center gap-2">
        {to(neighbours.newer, "↑ Newer", "prev")}
        {to(neighbours.older, "↓ Older", "next")}
      </span>
    </nav>
  );
}
