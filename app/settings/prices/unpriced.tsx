import { formatFilter } from "#app/_frame/filter-text.ts";
import { formatCount } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
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
            <Link className="text-link ml-3" href={callsHref(model)}>
              Which part<span className="sr-only"> of calls of {model || "no model"}</span>
            </Link>
            {model && <AddLink model={model} />}
          </li>
        ))}
      </ul>
      {models.length === LISTED_MAX && <p className="text-muted">The first {LISTED_MAX}.</p>}
      {products.length > 0 && (
        <p className="mt-2 [overflow-wrap:anywhere]">
          What was used beside the model, without a price:{" "}
          {products.map((product) => (
            <span key={product} className="mr-4">
              {product}
              <AddLink model={product} />
            </span>
          ))}
        </p>
      )}
    </>
  );
}

/** Calls of the model that have something without a price: each says what. */
const callsHref = (model: string) =>
  `/calls?r=${UNPRICED_DAYS}d&f=${encodeURIComponent(formatFilter({ model: [model], cost: ["unpriced"] }))}`;

function AddLink({ model }: { model: string }) {
  return (
    <Link className="text-link ml-3" href={`/settings/prices?model=${encodeURIComponent(model)}#add-price`}>
      Add a price<span className="sr-only"> for {model}</span>
    </Link>
  );
}
