import { type ReactNode, Suspense } from "react";
import { database } from "#app/_data/database.ts";
import type { Outcome, Reading } from "#app/_data/read-in-parts.ts";
import type { Scope } from "#db/queries/call-filter.ts";
import { roughCount } from "#db/queries/calls-page.ts";
import { snapshot } from "#db/queries/snapshot.ts";
import { Cancels } from "./cancels.tsx";
import { Computing } from "./computing.tsx";

interface Props<T> {
  reading: Reading<T>;
  /** The view's address: figures of other filters do not stand here meanwhile, those of the same view do while it is read again. */
  of: string;
  scope: Scope;
  /** Why no rollup answers, as "this filter (customer)"; null: one does. */
  unserved: string | null;
  /** As high as the figures are likely to be, so that little moves when they come; null: a word in a line is enough. */
  height?: string | null;
  children: (value: T) => ReactNode;
}

/** What is there by then needs no second step, and no script. */
const HOLD_MS = 150;
const COUNT_MS = 400;

/** Figures that may take longer: the page goes out without them, says that it is computing, and shows them when they are there. */
export async function Computed<T>({ reading, of, scope, unserved, height = "h-96", children }: Props<T>) {
  const brief = height === null;
  const known = await within(reading.outcome, HOLD_MS);
  if (known) return <Shown {...{ outcome: known, brief, children }} />;
  const calls = brief ? null : await within(callsIn(scope), COUNT_MS);
  const fallback = brief ? (
    <p className="late text-muted">Computing…</p>
  ) : (
    <Computing token={reading.token} calls={calls} unserved={unserved} height={height} />
  );
  return (
    <>
      <NoScript />
      {!brief && <Cancels key={`cancels ${of}`} token={reading.token} />}
      <Suspense key={of} fallback={fallback}>
        <Later {...{ reading, brief, children }} />
      </Suspense>
    </>
  );
}

type Part<T> = Pick<Props<T>, "children"> & { brief: boolean };

async function Later<T>({ reading, ...part }: Part<T> & { reading: Reading<T> }) {
  return <Shown outcome={await reading.outcome} {...part} />;
}

function Shown<T>({ outcome, brief, children }: Part<T> & { outcome: Outcome<T> }) {
  if ("value" in outcome) return children(outcome.value);
  if (brief) return <p className="text-muted">Not computed.</p>;
  const { title, sentence } = outcome.failure;
  return (
    <section className="my-4 max-w-2xl rounded-md border border-warn p-4" data-testid="part-failed">
      <h2 className="text-lg font-semibold text-warn">{title}</h2>
      <p role="alert" className="mt-1 text-base">
        {sentence}
      </p>
    </section>
  );
}

/**
 * What comes later is hidden at the end of the page until a script puts it in its place: without one it is shown where it is. In the
 * first of Tailwind's layers, because of what is important the first one wins, and `hidden` is important there.
 */
const NO_SCRIPT = `@layer theme{[hidden][id^="S:"]{display:block!important;padding:0 16px}}[data-testid="computing"]{display:none}`;
const NoScript = () => (
  <noscript>
    <style>{NO_SCRIPT}</style>
  </noscript>
);

/** How many calls lie in the range, whatever the filter; null: it cannot be said in time. */
const callsIn = (scope: Scope): Promise<number | null> =>
  snapshot(database("health"), (tx) => roughCount(tx, scope), {
    timeoutMs: COUNT_MS,
    waitMs: COUNT_MS,
  }).catch(() => null);

function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), ms);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
