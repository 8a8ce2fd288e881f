import { rangePhrase } from "#app/_frame/range-name.ts";
import type { View } from "#app/_frame/view.ts";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { Grouping } from "#db/queries/quality-page.ts";
import { parseRange, type Range } from "#lib/range.ts";
import { qualityHref } from "./query.ts";

/** Nobody has ever rated anything: how to send a rating, and the other way, by hand. */
export function NoRatingsYet({ proxyPort, anyCall }: { proxyPort: number; anyCall: boolean }) {
  const code = snippet(proxyPort);
  return (
    <section className="max-w-4xl" data-testid="no-ratings-yet">
      <h2 className="text-lg font-semibold">No ratings yet</h2>
      <p className="mt-1 text-base">
        Every answer that passes the proxy carries its call's id in the header{" "}
        <code className="font-mono">x-omnimeter-call-id</code>. Send what your users think of it to the proxy, at once
        or weeks later:
      </p>
      <figure className="mt-3">
        <figcaption className="mb-1 flex items-center justify-between">
          <span className="font-semibold">curl</span>
          <CopyButton text={code} what="curl example" />
        </figcaption>
        <ScrollBox name="curl example" className="rounded-md border border-rule bg-surface">
          <pre className="p-3 font-mono text-sm">{code}</pre>
        </ScrollBox>
      </figure>
      <p className="mt-3 text-base">
        <code className="font-mono">{'{"response": id}'}</code> and{" "}
        <code className="font-mono">{'{"session": id}'}</code> work as targets too. Or rate by hand:{" "}
        {anyCall ? (
          <>
            every{" "}
            <a className="text-link" href="/calls">
              call
            </a>{" "}
            has thumbs on its page.
          </>
        ) : (
          <>
            once the{" "}
            <a className="text-link" href="/calls">
              first call
            </a>{" "}
            is recorded, it has thumbs on its page.
          </>
        )}
      </p>
    </section>
  );
}

const snippet = (proxyPort: number) => `curl http://127.0.0.1:${proxyPort}/omnimeter/v1/feedback \\
  -H "content-type: application/json" \\
  -d '{"target": {"call": "…"}, "rating": "down", "comment": "Wrong year.", "rater": "user-17"}'`;

/** Ratings exist, but none in this view. */
export function NoRatingsHere({ view, grouping }: { view: View; grouping: Grouping }) {
  const filtered = Object.keys(view.filter).length > 0;
  return (
    <section className="mt-6 max-w-2xl rounded-md border border-rule p-4" data-testid="no-ratings-here">
      <h2 className="text-lg font-semibold">No ratings match</h2>
      <p className="mt-1 text-base text-muted">
        Nobody rated a call {view.range.kind === "between" ? "from" : "in"} {rangePhrase(view)}
        {filtered && " with these filters"}. A rating stands at the time of the call it rates.
      </p>
      <p className="mt-4 flex flex-wrap gap-2">
        {filtered && (
          <Link className="control" href={qualityHref(view, grouping, { filter: {} })}>
            Remove the filters
          </Link>
        )}
        <Link className="control" href={qualityHref(view, grouping, { range: parseRange("90d") as Range })}>
          Show the last 90 days
        </Link>
      </p>
    </section>
  );
}
