import { Unpriced } from "#app/_ui/cost.tsx";
import { formatCount, formatExactPrice, plural } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { lineName, lineQuantity, unitPriceInWords } from "#app/_ui/usage-words.ts";
import type { CallChildren } from "#db/queries/call-children.ts";
import type { PricedLineRow } from "#db/queries/call-page.ts";

interface Props {
  lines: readonly PricedLineRow[];
  costUsd: string | null;
  /** That answered. */
  model: string | null;
  /** null: of a call that is billed itself. */
  cameOut: CallChildren | null;
  /** Where the first of them is. */
  childHref: (id: string) => string;
}

/** How the cost came about: one row per booked line, to the last digit; their sum is the call's cost. */
export function Booked({ lines, costUsd, model, cameOut, childHref }: Props) {
  if (lines.length === 0 && cameOut?.firstId)
    return (
      <p data-testid="children-cost">
        Nothing is booked for this call itself. {plural(cameOut.calls, "call")} came out of it, for{" "}
        <span title={cameOut.costUsd === null ? undefined : `${cameOut.costUsd} USD`}>
          <Money usd={cameOut.costUsd} unknownCalls={cameOut.callsUnpriced} />
        </span>
        {cameOut.callsUnpriced > 0 && `, ${formatCount(cameOut.callsUnpriced)} of them unpriced`}:{" "}
        <Link className="text-link" href={childHref(cameOut.firstId)}>
          {cameOut.calls === 1 ? "that call" : "the first of them"}
        </Link>
      </p>
    );
  if (lines.length === 0)
    return <p className="text-muted">Nothing is booked for this call: there is no usage that could be.</p>;
  return (
    <>
      <ScrollBox name="Booked lines">
        <table className="figures" data-testid="table-money">
          <caption className="sr-only">Booked lines with price and amount</caption>
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col" className="!text-left">
                Listed as
              </th>
              <th scope="col">Quantity</th>
              <th scope="col">Price</th>
              <th scope="col">Amount, USD</th>
              <th scope="col">Booked on</th>
              <th scope="col">Price from</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={keyOf(line)}>
                <th scope="row">
                  {lineName(line)}
                  {line.adjustment > 0 && (
                    <span className="ml-1.5 text-xs text-muted">adjustment {line.adjustment}</span>
                  )}
                </th>
                <td className="!text-left">
                  {line.priceModel ?? line.product ?? model ?? "—"}
                  {line.priceTier !== null && line.priceTier !== "standard" && (
                    <span className="ml-1.5 text-xs text-muted">{line.priceTier}</span>
                  )}
                </td>
                <td title={SOURCES[line.source]}>
                  {line.source === "estimated" && "~"}
                  {lineQuantity(line)}
                </td>
                <td>
                  {unitPriceInWords(line.unit, line.priceUsd, line.pricePer)}
                  <Agreed line={line} />
                </td>
                <td>{line.costUsd ?? <Unpriced why={whyUnpriced(line, model)} />}</td>
                <td>{line.bookedOn}</td>
                <td title={line.priceSource ?? undefined}>
                  {line.priceFrom === null ? "—" : `${line.priceFrom}, confidence ${line.priceConfidence}`}
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Cost</th>
              <td />
              <td />
              <td />
              <td data-testid="exact-cost">{costUsd ?? "unknown"}</td>
              <td />
              <td />
            </tr>
          </tfoot>
        </table>
      </ScrollBox>
      <p className="mt-2 text-muted">
        Priced by the model and tier that answered, at the price in force when the request began; a line of a batch at
        that of its completion. Each line is rounded once, half even, to 12 decimals.
      </p>
      <WithoutPrice lines={lines} model={model} />
    </>
  );
}

/** What a region adds to the list's price, and what was agreed on. */
function Agreed({ line: { listUsd, priceUsd, priceRegion, termFactor, termNote } }: { line: PricedLineRow }) {
  if (listUsd === null || listUsd === priceUsd) return null;
  const why = [
    priceRegion !== null && `processed in ${priceRegion}`,
    termFactor !== null && `× ${termFactor} as agreed`,
  ].filter(Boolean);
  return (
    <span className="block text-xs text-muted" title={termNote || undefined}>
      list {formatExactPrice(listUsd)}
      {why.length > 0 && `, ${why.join(", ")}`}
    </span>
  );
}

/** What has no price, and what to do about it. */
function WithoutPrice({ lines, model }: Pick<Props, "lines" | "model">) {
  const without = Map.groupBy(
    lines.filter(({ costUsd }) => costUsd === null),
    ({ product }) => product ?? model ?? "",
  );
  // A line that has got its price since is reversed.
  const names = [...without].filter(([, some]) => some.reduce((sum, { quantity }) => sum + quantity, 0) !== 0);
  if (names.length === 0) return null;
  return (
    <p className="mt-2 text-warn" data-testid="without-price">
      A part has no price, so its cost is in no sum.{" "}
      {names.map(([name]) => (
        <Link
          key={name}
          className="text-link mr-3"
          href={`/settings/prices?model=${encodeURIComponent(name)}#add-price`}
        >
          {name ? `Add a price for ${name}` : "Add a price"}
        </Link>
      ))}
      <span className="text-muted">What is stored gets it when its days are priced again.</span>
    </p>
  );
}

const SOURCES: Readonly<Record<string, string>> = {
  reported: "As the provider reports it",
  estimated: "Estimated",
  measured: "Measured by Omnimeter from what went through",
};

const keyOf = ({ adjustment, direction, modality, cache, unit, product }: PricedLineRow) =>
  [adjustment, direction, modality, cache, unit, product].join(" ");

const whyUnpriced = ({ product }: PricedLineRow, model: string | null) =>
  `The price book has no price for this line of ${product ?? model ?? "a model that no answer named"}`;
