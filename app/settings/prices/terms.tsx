import type { View } from "#app/_frame/view.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment, formatOffset } from "#app/_ui/time.ts";
import type { TermRow } from "#db/queries/prices-page.ts";
import { Field, Problems, wrongBy } from "./form-parts.tsx";
import { CHANGE_PATH, type Said } from "./said.ts";

/** Discounts and markups, as they were agreed on. */
export function Terms({ terms, view: { nowMs, zone } }: { terms: readonly TermRow[]; view: View }) {
  if (terms.length === 0) return <p className="mt-1 text-muted">None: everything costs what the lists say.</p>;
  return (
    <ScrollBox name="Terms" className="mt-1">
      <table className="figures" data-testid="terms">
        <thead>
          <tr>
            <th scope="col">Models</th>
            <th scope="col">Times list price</th>
            <th scope="col">From, UTC</th>
            <th scope="col" className="!text-left">
              Upstream
            </th>
            <th scope="col" className="!text-left">
              Note
            </th>
            <th scope="col">Added, {formatOffset(nowMs, zone)}</th>
          </tr>
        </thead>
        <tbody>
          {terms.map(({ id, models, factor, effectiveFrom, upstream, note, addedAt }) => (
            <tr key={id}>
              <th scope="row">{models}</th>
              <td>{factor}</td>
              <td>{effectiveFrom}</td>
              <td className="!text-left">{upstream ?? "any"}</td>
              <td className="min-w-40 !whitespace-normal !text-left [overflow-wrap:anywhere]">{note}</td>
              <td>{formatMoment(addedAt.getTime(), zone)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

export function AddTerm({ said, today }: { said: Said; today: string }) {
  const refused = said.typed.do === "term" && said.problems.length > 0;
  const typed: Said["typed"] = refused ? said.typed : {};
  const wrong = (...codes: Parameters<typeof wrongBy>[1]) => (refused ? wrongBy(said, codes) : {});
  return (
    <section id="add-term" aria-labelledby="add-term-title" className="min-w-0">
      <h2 id="add-term-title" className="text-lg font-semibold">
        Add a discount or a markup
      </h2>
      <p className="mt-1 max-w-2xl text-muted">
        A factor on every price of the models that match, from the start of a UTC day until a newer one for the same
        models; a factor of 1 ends it. Of several that match, the one that names the model most exactly is used.
      </p>
      {refused && <Problems said={said} />}
      <form method="post" action={CHANGE_PATH} className="mt-3 grid max-w-2xl gap-4" data-testid="add-term">
        <input type="hidden" name="do" value="term" />
        <div className="flex flex-wrap gap-4">
          <Field label="models (a last * is any rest)">
            <input
              name="models"
              required
              defaultValue={typed.models}
              placeholder="gpt-4o*"
              autoComplete="off"
              className="control w-48"
              {...wrong("term_bad_models")}
            />
          </Field>
          <Field label="times the list price">
            <input
              name="factor"
              required
              inputMode="decimal"
              defaultValue={typed.factor}
              placeholder="0.9"
              className="control w-28"
              {...wrong("term_bad_factor")}
            />
          </Field>
          <Field label="from, UTC">
            <input
              name="from"
              type="date"
              required
              defaultValue={typed.from ?? today}
              className="control"
              {...wrong("term_bad_day")}
            />
          </Field>
          <Field label="upstream (empty: any)">
            <input
              name="upstream"
              defaultValue={typed.upstream}
              autoComplete="off"
              className="control w-36"
              {...wrong("term_bad_upstream")}
            />
          </Field>
        </div>
        <Field label="note">
          <input name="note" defaultValue={typed.note} className="control" {...wrong("term_long_note")} />
        </Field>
        <p>
          <button type="submit" className="control !border-accent">
            Add term
          </button>
        </p>
      </form>
    </section>
  );
}
