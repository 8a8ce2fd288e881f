import { Unpriced } from "#app/_ui/cost.tsx";
import { formatCount, formatUnitPrice, UNKNOWN } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { PricedLineRow } from "#db/queries/call-page.ts";
import { MODALITIES } from "#lib/modalities.ts";

/** How the cost came about: one row per booked line, to the last digit; their sum is the call's cost. */
export function Money({ lines, costUsd }: { lines: readonly PricedLineRow[]; costUsd: string | null }) {
  if (lines.length === 0) return <p className="text-muted">Nothing is booked for this call: no usage is known.</p>;
  return (
    <>
      <ScrollBox name="Booked lines">
        <table className="figures" data-testid="table-money">
          <caption className="sr-only">Booked lines with price and amount</caption>
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">Quantity</th>
              <th scope="col">Price</th>
              <th scope="col">Amount, USD</th>
              <th scope="col">Booked on</th>
              <th scope="col">Price from</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={`${line.adjustment} ${nameOf(line)}`}>
                <th scope="row">
                  {nameOf(line)}
                  {line.adjustment > 0 && (
                    <span className="ml-1.5 text-xs text-muted">adjustment {line.adjustment}</span>
                  )}
                </th>
                <td>
                  {line.source === "estimated" && "~"}
                  {formatCount(line.quantity)}
                </td>
                <td>{priceOf(line)}</td>
                <td>{line.costUsd ?? <Unpriced why="The price book has no price for this line" />}</td>
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
              <td data-testid="exact-cost">{costUsd ?? "unknown"}</td>
              <td />
              <td />
            </tr>
          </tfoot>
        </table>
      </ScrollBox>
      <p className="mt-2 text-muted">
        Priced by the model and tier that answered, at the price in force when the request began. Each line is rounded
        once, half even, to 12 decimals.
      </p>
    </>
  );
}

const nameOf = ({ modality, direction, cache }: PricedLineRow): string => {
  const label = MODALITIES.find(({ name }) => name === modality)?.label ?? modality;
  return `${label} ${cache === "read" ? "cached input" : cache === "write" ? "cache write" : direction}`;
};

/** $2.50 / 1M */
function priceOf({ priceUsd, pricePer }: PricedLineRow): string {
  if (priceUsd === null) return UNKNOWN;
  return `${formatUnitPrice(priceUsd)} / ${pricePer === 1_000_000 ? "1M" : formatCount(pricePer)}`;
}
