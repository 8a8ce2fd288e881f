import { formatCount } from "#app/_ui/format.ts";
import { LISTED_MAX, UNPRICED_DAYS } from "./read-prices.ts";

interface Props {
  models: readonly { model: string; calls: number }[];
  /** Tools, and models that tools have of their own. */
  products: readonly string[];
}

/** What has no price yet, and what to do about it. */
export function Unpriced({ models, products }: Props) {
  if (models.length === 0)
    return <p className="mt-1 text-muted">None: every call of the last {UNPRICED_DAYS} days has its price.</p>;
  return (
    <>
      <p className="mt-1 max-w-4xl text-muted">
        Calls of the last {UNPRICED_DAYS} days with a part whose cost is unknown, and in no sum. Import a newer list (
        <code>npm run -s prices -- --import FILE.csv</code>) or add a price below, then price those days again.
      </p>
      <ul className="mt-2" data-testid="unpriced">
        {models.map(({ model, calls }) => (
          <li key={model} className="[overflow-wrap:anywhere]">
            <span className="text-warn">{model || "no model named"}</span>: {formatCount(calls)} of its calls
          </li>
        ))}
      </ul>
      {models.length === LISTED_MAX && <p className="text-muted">The first {LISTED_MAX}.</p>}
      {products.length > 0 && (
        <p className="mt-2 [overflow-wrap:anywhere]">
          What was used beside the model, without a price: {products.join(", ")}
        </p>
      )}
    </>
  );
}
