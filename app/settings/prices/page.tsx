import type { Metadata } from "next";
import { requestedView } from "#app/_data/view.ts";
import { Frame } from "#app/_frame/frame.tsx";
import { hrefOf, type Params } from "#app/_frame/view.ts";
import { ZonePicker } from "#app/_frame/zone-picker.tsx";
import { Glyph } from "#app/_ui/glyph.tsx";
import { Shown } from "../shown.tsx";
import { AddPrice } from "./add-price.tsx";
import { BookTable } from "./book-table.tsx";
import { readPrices } from "./read-prices.ts";
import { Rerates } from "./rerates.tsx";
import { DONE, PROBLEMS, readSaid } from "./said.ts";
import { AddTerm, Terms } from "./terms.tsx";
import { Unpriced } from "./unpriced.tsx";

export const metadata: Metadata = { title: "Prices" };

const SEARCH_CHARACTERS_MAX = 100;

/** What calls are priced by, and what is not priced. Its forms work without any script. */
export default async function PricesPage({ searchParams }: { searchParams: Promise<Params> }) {
  const params = await searchParams;
  const said = readSaid(params);
  const view = await requestedView(params);
  const search = typeof params.q === "string" ? params.q.trim().slice(0, SEARCH_CHARACTERS_MAX) : "";
  const { today, unpriced, book, terms, rerates, watermark } = await readPrices(view.nowMs, search);
  const [first] = "value" in unpriced ? unpriced.value.models : [];
  return (
    <Frame
      title="Prices"
      watermark={"value" in watermark ? watermark.value : null}
      nowMs={view.nowMs}
      zone={view.zone}
      controls={
        <ZonePicker
          zone={view.zone}
          pinned={view.zonePinned}
          hrefTemplate={hrefOf("/settings/prices", view, { zone: "{zone}" }).replace("%7Bzone%7D", "{zone}")}
          hrefOwn={hrefOf("/settings/prices", view, { zone: null })}
        />
      }
    >
      <nav aria-label="On this page" className="mb-4 flex flex-wrap gap-4">
        <a className="text-link" href="/settings">
          All settings
        </a>
        <a className="text-link" href="#book">
          The book
        </a>
        <a className="text-link" href="#add-price">
          Add a price
        </a>
        <a className="text-link" href="#terms">
          Terms
        </a>
        <a className="text-link" href="#rerates">
          Price again
        </a>
      </nav>
      {said.done && (
        <p role="status" className="mb-4 flex items-center gap-2 text-good" data-testid="done">
          <Glyph name="check" />
          {DONE[said.done]}
        </p>
      )}
      {said.problems.includes("price_unknown_action") && (
        <p role="alert" className="mb-4 text-bad">
          {PROBLEMS.price_unknown_action}
        </p>
      )}
      <section aria-labelledby="unpriced-title">
        <h2 id="unpriced-title" className="text-lg font-semibold">
          Models without a price
        </h2>
        <Shown part={unpriced}>{(found) => <Unpriced {...found} />}</Shown>
      </section>
      <section id="book" aria-labelledby="book-title" className="mt-8 min-w-0">
        <h2 id="book-title" className="text-lg font-semibold">
          The price book
        </h2>
        <p className="mt-1 max-w-4xl text-muted">
          A call is priced by the model and tier that answered, at the moment it began: by the newest row that had
          begun, and never by another model’s. Where there is none, its cost is unknown.
        </p>
        <Shown part={book}>{(rows) => <BookTable rows={rows} search={search} today={today} />}</Shown>
      </section>
      <section id="terms" aria-labelledby="terms-title" className="mt-8 min-w-0">
        <h2 id="terms-title" className="text-lg font-semibold">
          Terms
        </h2>
        <Shown part={terms}>{(rows) => <Terms terms={rows} view={view} />}</Shown>
      </section>
      <div className="mt-8 grid gap-x-12 gap-y-8 xl:grid-cols-2">
        <AddPrice said={said} today={today} model={said.typed.model || first?.model || null} />
        <AddTerm said={said} today={today} />
      </div>
      <section id="rerates" aria-labelledby="rerates-title" className="mt-8 min-w-0">
        <h2 id="rerates-title" className="text-lg font-semibold">
          Priced again
        </h2>
        <p className="mt-1 max-w-4xl text-muted">
          What is stored keeps its price until somebody asks for another:{" "}
          <code>
            npm run -s rerate -- --from {today.slice(0, 8)}01 --to {today} --dry-run
          </code>{" "}
          says what the present book would change, and without <code>--dry-run</code> books it as a reversal and a new
          line. Closed months stay as they are. Amounts are of the lines that changed.
        </p>
        <Shown part={rerates}>{(rows) => <Rerates rows={rows} view={view} />}</Shown>
      </section>
    </Frame>
  );
}
