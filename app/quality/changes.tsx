import type { ReactNode } from "react";
import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatDuration, formatMoney } from "#app/_ui/format.ts";
import { formatBounds, formatPointBounds, formatPoints, formatRate, signed } from "#app/_ui/format-rate.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment } from "#app/_ui/time.ts";
import type { VerdictWord } from "#lib/stats/verdict.ts";
import { type Count, wilson } from "#lib/stats/wilson.ts";
import type { JudgedChange, Moved } from "./judge-changes.ts";
import { CHANGES_MAX, NEAREST_CALLS } from "./read.ts";
import { VerdictMark } from "./verdict-mark.tsx";

interface Props {
  changes: readonly JudgedChange[];
  more: boolean;
  view: View;
}

const KINDS = { template_version: "Template version", snapshot: "Model snapshot" } as const;
const ORDER: readonly VerdictWord[] = ["regressed", "improved", "no clear change", "not enough data"];

/** What changed in range, and whether people, cost and speed noticed. The worst stands first. */
export function Changes({ changes, more, view }: Props) {
  const sorted = changes.toSorted((a, b) => ORDER.indexOf(a.verdict.word) - ORDER.indexOf(b.verdict.word));
  return (
    <section aria-labelledby="changes-title" data-testid="table-changes" className="mt-8">
      <div className="flex flex-wrap items-baseline gap-x-4">
        <h2 id="changes-title" className="text-lg font-semibold">
          Changes
        </h2>
        <p data-testid="verdict">{verdictSentence(changes)}</p>
      </div>
      {changes.length > 0 && (
        <>
          <ScrollBox name="Changes" className="mt-2">
            <table className="figures w-full">
              <thead>
                <tr>
                  <th scope="col">Changed</th>
                  <th scope="col" className="!text-left">
                    Verdict
                  </th>
                  <th scope="col">Rate before</th>
                  <th scope="col">Rate after</th>
                  <th scope="col">Difference</th>
                  <th scope="col">Cost per call</th>
                  <th scope="col">p50</th>
                  <th scope="col">p95</th>
                  <th scope="col">Calls</th>
                </tr>
              </thead>
              <tbody>
                {sorted.map((change) => (
                  <ChangeRow key={`${change.kind}\n${change.subject}\n${change.value}`} change={change} view={view} />
                ))}
              </tbody>
            </table>
          </ScrollBox>
          <p className="py-2 text-xs text-muted">
            Before: the subject's other values in the 28 days up to the change. After: its new value until the next
            change, or now. Cost and durations are those of the calls nearest to the change, at most{" "}
            {formatCount(NEAREST_CALLS)} on each side (“+”: there may be more); ratings are all of them. About one in
            ten of the changes called regressed or improved may be a false alarm.
            {more && ` Only the ${CHANGES_MAX} newest changes are listed.`}
          </p>
        </>
      )}
    </section>
  );
}

/** "1 regressed, 2 improved, 14 no clear change, 5 not enough data" */
export function verdictSentence(changes: readonly JudgedChange[]): string {
  if (changes.length === 0) return "No template version and no model snapshot was new in this range.";
  const counts = ORDER.map((word) => {
    const count = changes.filter(({ verdict }) => verdict.word === word).length;
    return count > 0 ? `${formatCount(count)} ${word}` : "";
  });
  return `${counts.filter(Boolean).join(", ")}.`;
}

function ChangeRow({ change, view }: { change: JudgedChange; view: View }) {
  const { verdict, ratings, cost } = change;
  return (
    <tr className="align-top" data-testid={`change-${change.subject}@${change.value}`}>
      <th scope="row">
        <p className="text-xs text-muted">
          {KINDS[change.kind]}, {formatMoment(change.atMs, view.zone)}
        </p>
        <p className="font-semibold">{change.subject}</p>
        <p>
          {change.valueBefore} →{" "}
          <Link className="text-link" href={hrefOf(`/calls/${change.firstCallId}`, view)} title="Its first call">
            {change.value}
          </Link>
        </p>
      </th>
      <td className="!text-left">
        <VerdictMark word={verdict.word} />
        {verdict.needs && <p className="w-52 text-xs whitespace-normal text-muted">{verdict.needs}</p>}
      </td>
      <RateCell count={ratings.before} />
      <RateCell count={ratings.after} />
      <td>
        {verdict.difference ? (
          <>
            <p className="font-semibold">{formatPoints(verdict.difference.difference)}</p>
            <p className="text-xs text-muted">{formatPointBounds(verdict.difference)}</p>
          </>
        ) : (
          "—"
        )}
      </td>
      <MovedCell moved={cost} value={formatMoney} difference={(usd) => formatMoney(String(usd))}>
        {cost.unpriced > 0 && <p className="text-xs text-warn">{formatCount(cost.unpriced)} unpriced, left out</p>}
      </MovedCell>
      <MovedCell moved={change.p50Ms} value={formatDuration} difference={formatDuration} />
      <MovedCell moved={change.p95Ms} value={formatDuration} difference={formatDuration} />
      <td>
        <p>{callCount(change.calls.before)} →</p>
        <p>{callCount(change.calls.after)}</p>
      </td>
    </tr>
  );
}

const callCount = (calls: number) => `${formatCount(calls)}${calls === NEAREST_CALLS ? "+" : ""}`;

function RateCell({ count }: { count: Count }) {
  const rate = wilson(count.successes, count.n);
  return (
    <td>
      <p>{formatRate(rate?.rate ?? null)}</p>
      <p className="text-xs text-muted">
        {rate && formatBounds(rate)} n {formatCount(count.n)}
      </p>
    </td>
  );
}

interface MovedProps<T> {
  moved: Moved<T>;
  value: (value: T | null) => string;
  /** Writes the size of a difference. */
  difference: (size: number) => string;
  children?: ReactNode;
}

function MovedCell<T>({ moved, value, difference, children }: MovedProps<T>) {
  const { before, after, difference: found } = moved;
  return (
    <td>
      <p>{before === null && after === null ? "—" : `${value(before)} → ${value(after)}`}</p>
      {found && (
        <>
          <p>{signed(found.difference, difference)}</p>
          <p className="text-xs text-muted">
            [{signed(found.low, difference)}, {signed(found.high, difference)}]
          </p>
        </>
      )}
      {children}
    </td>
  );
}
