import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { BookRow } from "#db/queries/prices-page.ts";
import { ORIGINS, priceText, whatText } from "./price-words.ts";
import { ROWS_MAX } from "./read-prices.ts";

/** The book, or what of it was searched for; what another row has replaced, and what has not begun, is dimmed. */
export function BookTable({ rows, search, today }: { rows: readonly BookRow[]; search: string; today: string }) {
  const shown = rows.slice(0, ROWS_MAX);
  return (
    <>
      {/* A form of its own address: the page again, with what is searched for. */}
      <form action="/settings/prices#book" className="mt-2 flex flex-wrap items-end gap-2">
        <label className="grid gap-1">
          <span className="text-xs text-muted">model or note contains</span>
          <input type="search" name="q" defaultValue={search} autoComplete="off" className="control w-64" />
        </label>
        <button type="submit" className="control">
          Search
        </button>
      </form>
      {rows.length === 0 ? (
        <p className="mt-2 text-muted" data-testid="no-prices">
          {search
            ? `No price of the book has “${search}” in its model or note.`
            : "The book is empty: the recorder writes it when it starts."}
        </p>
      ) : (
        <ScrollBox name="The price book" className="mt-2 max-h-[70vh] overflow-y-auto">
          <table className="figures" data-testid="book">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col" className="!text-left">
                  What
                </th>
                <th scope="col">Price</th>
                <th scope="col" className="!text-left">
                  Tier
                </th>
                <th scope="col">From, UTC</th>
                <th scope="col" className="!text-left">
                  State
                </th>
                <th scope="col" className="!text-left">
                  Where it is from
                </th>
                <th scope="col" className="!text-left">
                  How sure
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((row) => (
                <tr key={row.id} className={row.inForce ? undefined : "text-muted"}>
                  <th scope="row">{row.model}</th>
                  <td className="!text-left">{whatText(row)}</td>
                  <td>{priceText(row)}</td>
                  <td className="!text-left">{row.tier}</td>
                  <td>{row.effectiveFrom}</td>
                  <td className="!text-left">{stateOf(row, today)}</td>
                  <td className="min-w-48 max-w-md !whitespace-normal !text-left [overflow-wrap:anywhere]">
                    <Source row={row} />
                  </td>
                  <td className="!text-left">
                    {row.confidence}, day {row.dateBasis}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
      {rows.length > ROWS_MAX && (
        <p className="mt-2 text-muted">
          The first {ROWS_MAX}; there are more: search, or print all of them with <code>npm run -s prices</code>.
        </p>
      )}
    </>
  );
}

function Source({ row: { id, origin, source, note } }: { row: BookRow }) {
  return (
    <details>
      <summary className="min-h-6 cursor-pointer">
        {ORIGINS[origin] ?? origin}
        <span className="sr-only">: sources of {id}</span>
      </summary>
      {source}
      {note && <span className="block text-muted">{note}</span>}
    </details>
  );
}

const stateOf = ({ inForce, effectiveFrom }: BookRow, today: string): string =>
  inForce ? "in force" : effectiveFrom > today ? "later" : "replaced";
