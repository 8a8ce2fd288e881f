import { Unpriced } from "#app/_ui/cost.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { lineName, lineQuantity, unitPriceInWords } from "#app/_ui/usage-words.ts";
import type { PricedLineRow } from "#db/queries/call-page.ts";

interface Props {
  lines: readonly PricedLineRow[];
  costUsd: string | null;
  /** That answered. */
  model: string | null;
}

/** How the cost came about: one row per booked line, to the last digit; their sum is the call's cost. */
export function Money({ lines, costUsd, model }: Props) {
  if (lines.length === 0) return <p className="text-muted">Nothing is booked for this call: no usage is known.</p>;
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
                <td className="!text-left">{line.product ?? model ?? "—"}</td>
                <td title={SOURCES[line.source]}>
                  {line.source === "estimated" && "~"}
                  {lineQuantity(line)}
                </td>
                <td>{unitPriceInWords(line.unit, line.priceUsd, line.pricePer)}</td>
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
    </>
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
