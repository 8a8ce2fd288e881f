import { formatDuration, plural } from "#app/_ui/format.ts";
import type { SlowQuery } from "#db/queries/health-activity.ts";
import { READER } from "#db/queries/snapshot.ts";
import { HEALTH_PATH } from "./health-path.ts";

/** Queries of Omnimeter's own; those of pages and exports can be ended. */
export function SlowQueries({ queries }: { queries: readonly SlowQuery[] }) {
  if (queries.length === 0) return <p className="mt-1 text-muted">Nothing of Omnimeter's.</p>;
  return (
    <ul className="mt-1 max-w-4xl" data-testid="slow-queries">
      {queries.map(({ pid, since, name, seconds, waitsFor, blockedBy, mayCancel }) => (
        <li key={pid} className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-rule py-2">
          <span className="font-semibold">{whose(name)}</span>
          <span>for {formatDuration(seconds * 1000)}</span>
          <span className="text-muted">
            {blockedBy > 0
              ? `waits for a lock of ${plural(blockedBy, "other connection")}`
              : waitsFor
                ? `waits (${waitsFor})`
                : "computes"}
          </span>
          {mayCancel ? (
            <form method="post" action={HEALTH_PATH} className="ml-auto">
              <input type="hidden" name="since" value={since} />
              <button type="submit" name="cancel" value={pid} className="control">
                Cancel<span className="sr-only"> {whose(name)}</span>
              </button>
            </form>
          ) : (
            <span className="ml-auto text-muted">would only be done again</span>
          )}
        </li>
      ))}
    </ul>
  );
}

const PAGES: Readonly<Record<string, string>> = {
  home: "Home",
  spend: "Spend",
  templates: "Templates",
  latency: "Latency",
  calls: "Calls",
  call: "A call",
  quality: "Quality",
  feedback: "Feedback of a call",
  watermark: "How fresh figures are",
  newest: "Following new calls",
  export: "An export",
  health: "This page",
};

/** "omnimeter: spend Xy…" is a page's; other names are of what writes. */
export function whose(name: string): string {
  if (!name.startsWith(READER)) return "The recorder or a command";
  const page = name.slice(READER.length).split(" ")[0] ?? "";
  return (Object.hasOwn(PAGES, page) ? PAGES[page] : undefined) ?? "A page";
}
