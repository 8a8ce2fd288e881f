import { hrefOf, type View } from "#app/_frame/view.ts";
import { Link } from "#app/_ui/link.tsx";
import type { PageRows } from "./page.tsx";

/** Older and newer pages, by the id at the end of this one: pages do not shift while calls come in. */
export function Pager({ view, rows }: { view: View; rows: PageRows }) {
  const first = rows.shown[0]?.id;
  const last = rows.shown.at(-1)?.id;
  if (!first || !last || (!rows.newer && !rows.older)) return null;
  return (
    <nav aria-label="Pages" className="flex flex-wrap items-center gap-2">
      {rows.newer && (
        <>
          <Link className="control" href={hrefOf("/calls", view)}>
            Newest
          </Link>
          <Link className="control" href={hrefOf("/calls", view, { cursor: { after: first } })} rel="prev">
            ← Newer
          </Link>
        </>
      )}
      {rows.older && (
        <Link className="control" href={hrefOf("/calls", view, { cursor: { before: last } })} rel="next">
          Older →
        </Link>
      )}
    </nav>
  );
}

/** The view's query, or its whole address. */
export const liveQuery = (view: View, path = ""): string => {
  const href = hrefOf(path, view, { live: view.live });
  return path ? href : href.slice(1);
};
