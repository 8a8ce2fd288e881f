import { formatCount, formatMoney, formatShare, plural } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import {
  ATTEMPTS_MAX,
  LOOKED_AT_MAX,
  type WasteFigures,
  type WasteSums,
  type WasteUnknown,
} from "#db/queries/waste.ts";
import { OTHER } from "#db/rollup-limit.ts";
import { type Waste as Part, WASTES } from "#lib/waste.ts";
import { callsHref, type SpendView } from "./spend-view.ts";
import { type WasteTotal, wasteTotal } from "./waste-total.ts";
import { WASTE_WORDS, wasteSentence } from "./waste-words.ts";

interface Props {
  view: SpendView;
  waste: WasteFigures;
  /** What all of it came to: the spend beside it. */
  spendUsd: string;
}

/** What money bought nothing with: one figure that opens to its parts, each of which leads to its calls. */
export function Waste({ view, waste, spendUsd }: Props) {
  const total = wasteTotal(waste.parts);
  return (
    <section
      aria-labelledby="waste-title"
      className="min-w-0 rounded-md border border-rule p-4"
      data-testid="tile-waste"
    >
      <div className="flex flex-wrap items-baseline gap-x-6 gap-y-1">
        <h2 id="waste-title" className="text-xs font-normal text-muted">
          Waste
        </h2>
        <p className="text-num font-semibold">
          <Amount total={total} />
        </p>
        <p className="text-muted">{shareText(total, spendUsd)}</p>
        <p className="text-xs text-muted">{notes(total)}</p>
      </div>
      <Next view={view} waste={waste} total={total} />
      <details className="mt-2">
        <summary className="inline-flex min-h-6 cursor-pointer items-center underline underline-offset-2">
          Its parts
        </summary>
        <ScrollBox name="Parts of the waste">
          <table className="figures w-full min-w-[640px]" data-testid="table-waste">
            <thead>
              <tr>
                <th scope="col" className="w-full">
                  Part
                </th>
                <th scope="col">Cost</th>
                <th scope="col">Estimated</th>
                <th scope="col">Calls</th>
                <th scope="col">Without usage</th>
                <th scope="col">Unpriced</th>
              </tr>
            </thead>
            <tbody>
              {WASTES.map((part) => (
                <PartRow key={part} view={view} part={part} sums={waste.parts[part]} />
              ))}
            </tbody>
          </table>
        </ScrollBox>
        <p className="mt-2 max-w-3xl text-xs text-muted">
          Of calls begun in this range, on whatever day their money is booked; spend is what is booked in it. No call is
          in two parts. An answer that ended at its own limit of tokens is no waste. Calls without known usage or
          without a price are in no amount.
        </p>
      </details>
    </section>
  );
}

function Amount({ total: { costUsd, callsOfUnknownCost, unknown } }: { total: WasteTotal }) {
  if (costUsd === null || (unknown.length > 0 && Number(costUsd) === 0))
    return <span className="text-muted">unknown</span>;
  return (
    <>
      {unknown.length > 0 && "≥ "}
      <Money usd={costUsd} unknownCalls={callsOfUnknownCost} />
    </>
  );
}

const shareText = ({ costUsd, unknown }: WasteTotal, spendUsd: string) =>
  costUsd !== null && Number(costUsd) > 0 && Number(spendUsd) > 0
    ? `${unknown.length > 0 ? "≥ " : ""}${formatShare(Number(costUsd), Number(spendUsd))} of spend`
    : null;

function notes({ costUsd, costEstimatedUsd, callsWithoutUsage, callsUnpriced }: WasteTotal): string {
  return [
    costUsd !== null && Number(costEstimatedUsd) > 0 && `${formatMoney(costEstimatedUsd)} of it estimated`,
    callsWithoutUsage > 0 && `${plural(callsWithoutUsage, "call")} without known usage, in no amount`,
    callsUnpriced > 0 && `${plural(callsUnpriced, "call")} with a part unpriced, which is in no amount`,
  ]
    .filter(Boolean)
    .join("; ");
}

function Next({ view, waste: { dearest }, total }: { view: SpendView; waste: WasteFigures; total: WasteTotal }) {
  return (
    <div className="max-w-3xl">
      {dearest ? (
        <p>
          {wasteSentence(dearest)}{" "}
          <Link
            className="text-link"
            href={callsHref(view, {
              ...view.filter,
              ...(dearest.feature === OTHER ? {} : { feature: [dearest.feature] }),
              waste: [dearest.part],
            })}
          >
            These calls
          </Link>
        </p>
      ) : (
        total.unknown.length === 0 && <p className="text-muted">{nothing(total)}</p>
      )}
      {total.unknown.map(({ part, why }) => (
        <p key={part} className="text-warn">
          {WASTE_WORDS[part].label}: {whyUnknown(part, why)}
        </p>
      ))}
    </div>
  );
}

const nothing = ({ calls, callsOfUnknownCost }: WasteTotal) =>
  calls === 0
    ? "Every call of this range completed, and none was made again."
    : callsOfUnknownCost > 0
      ? "Of the calls that bought nothing no cost is known; errors that the upstream refused at once usually cost nothing."
      : "The calls that bought nothing cost nothing.";

const whyUnknown = (part: Part, why: WasteUnknown): string =>
  why === "many" ? (part === "superseded" ? MANY_ATTEMPTS : MANY_CALLS) : WHY_UNKNOWN[why];

const MANY_CALLS = `not added up: under this filter each call is looked at, and more than ${formatCount(LOOKED_AT_MAX)} are of it. A shorter range or fewer filters show it.`;
const MANY_ATTEMPTS = `not added up: each attempt after another one is looked at, and this range has more than ${formatCount(ATTEMPTS_MAX)}. A shorter range shows it.`;
const WHY_UNKNOWN: Record<Exclude<WasteUnknown, "many">, string> = {
  counting: "not known yet. Days from before the last upgrade are being counted again.",
  dropped: "not known. Some calls of this range are no longer kept, and their sums do not tell.",
};

function PartRow({ view, part, sums }: { view: SpendView; part: Part; sums: WasteSums | WasteUnknown }) {
  const { label, definition } = WASTE_WORDS[part];
  const href = callsHref(view, { ...view.filter, waste: [part] });
  return (
    <tr data-testid={`row-${part}`}>
      <th scope="row">
        <Link className="text-link" href={href}>
          {label}
        </Link>
        <span className="block max-w-xl whitespace-normal text-xs text-muted">{definition}</span>
      </th>
      {typeof sums === "string" ? (
        <td colSpan={5} className="text-muted">
          unknown
        </td>
      ) : (
        <>
          <td>
            <Money usd={sums.costUsd} unknownCalls={sums.callsWithoutUsage + sums.callsUnpriced} />
          </td>
          <td>
            <Money usd={sums.costEstimatedUsd} />
          </td>
          <td>{formatCount(sums.calls)}</td>
          <td>{formatCount(sums.callsWithoutUsage)}</td>
          <td>{formatCount(sums.callsUnpriced)}</td>
        </>
      )}
    </tr>
  );
}
