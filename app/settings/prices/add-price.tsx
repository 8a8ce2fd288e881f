import { MODALITIES } from "#lib/modalities.ts";
import { PRICE_DIRECTIONS, PRICE_TIERS, PRICE_UNITS } from "#lib/price.ts";
import { columnOf } from "#lib/read-price.ts";
import { Field, Problems, wrongBy } from "./form-parts.tsx";
import { CHANGE_PATH, type Said } from "./said.ts";

/** A plain form for a price of one's own. After a refusal it holds what was typed. */
export function AddPrice({ said, today, model }: { said: Said; today: string; model: string | null }) {
  const refused = said.typed.do === "price" && said.problems.length > 0;
  const typed: Said["typed"] = refused ? said.typed : {};
  const wrong = (...codes: Parameters<typeof wrongBy>[1]) => (refused ? wrongBy(said, codes) : {});
  return (
    <section id="add-price" aria-labelledby="add-price-title" className="min-w-0">
      <h2 id="add-price-title" className="text-lg font-semibold">
        Add a price of your own
      </h2>
      <p className="mt-1 max-w-2xl text-muted">
        For a model that no list has, or for what you pay instead of a list’s price. It is in force from the start of
        its UTC day; on that day it goes before a list. A price is never changed: the next one begins on another day.
      </p>
      {refused && <Problems said={said} />}
      <form method="post" action={CHANGE_PATH} className="mt-3 grid max-w-2xl gap-4" data-testid="add-price">
        <input type="hidden" name="do" value="price" />
        <div className="flex flex-wrap gap-4">
          <Field label="model, as its answers name it">
            <input
              name="model"
              required
              defaultValue={typed.model ?? model ?? ""}
              autoComplete="off"
              className="control w-64"
              {...wrong("price_bad_model", "price_known")}
            />
          </Field>
          <Field label="US dollars">
            <input
              name="usd"
              required
              inputMode="decimal"
              defaultValue={typed.usd}
              placeholder="2.50"
              className="control w-28"
              {...wrong("price_bad_usd")}
            />
          </Field>
          <Field label="per">
            <select
              name="unit"
              defaultValue={typed.unit}
              className="control"
              {...wrong("price_bad_unit", "price_never_found")}
            >
              {Object.keys(PRICE_UNITS).map((quoted) => (
                <option key={quoted} value={columnOf(quoted)}>
                  {quoted}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <div className="flex flex-wrap gap-4">
          <Field label="direction">
            <Choice name="direction" of={PRICE_DIRECTIONS} typed={typed.direction} />
          </Field>
          <Field label="modality">
            <Choice name="modality" of={[...MODALITIES.map(({ name }) => name), "none"]} typed={typed.modality} />
          </Field>
          <Field label="cached">
            <Choice name="cached" of={["no", "read", "write_30m", "write_12h"]} typed={typed.cached} />
          </Field>
          <Field label="tier">
            <Choice name="tier" of={PRICE_TIERS.filter((tier) => tier !== "estimate")} typed={typed.tier} />
          </Field>
          <Field label="from, UTC">
            <input
              name="effective_from"
              type="date"
              required
              defaultValue={typed.effective_from ?? today}
              className="control"
              {...wrong("price_bad_day")}
            />
          </Field>
        </div>
        <Field label="note (where it is from)">
          <input name="note" defaultValue={typed.note} className="control" {...wrong("price_long_note")} />
        </Field>
        <p>
          <button type="submit" className="control !border-accent">
            Add price
          </button>
        </p>
      </form>
    </section>
  );
}

function Choice({ name, of, typed }: { name: string; of: readonly string[]; typed: string | undefined }) {
  return (
    <select name={name} defaultValue={typed !== undefined && of.includes(typed) ? typed : of[0]} className="control">
      {of.map((value) => (
        <option key={value}>{value}</option>
      ))}
    </select>
  );
}
