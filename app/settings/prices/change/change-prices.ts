import type { Sql } from "postgres";
import { PROJECT } from "#app/_frame/view.ts";
import { addPrices, addTerm } from "#db/price-book.ts";
import { readTerm } from "#lib/price-term.ts";
import { PRICE_COLUMNS, readPrice } from "#lib/read-price.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { textOf } from "../../read-wish.ts";
import type { FormProblem } from "../said.ts";

/** What became of a form: the id of what was added, or everything that is wrong. */
export type Change = { done: "price" | "term"; id: string } | { problems: FormProblem[] };

const nextId = createUuid7();

/** Adds what the fields say, or nothing. */
export async function changePrices(sql: Sql, fields: Readonly<Record<string, unknown>>): Promise<Change> {
  const typed = (name: string) => storable(textOf(fields[name]));
  if (fields.do === "price") {
    const price = readPrice(Object.fromEntries(PRICE_COLUMNS.map((name) => [name, typed(name)])), "own");
    if (Array.isArray(price)) return { problems: price };
    return (await addPrices(sql, [price])) ? { done: "price", id: price.id } : { problems: ["price_known"] };
  }
  if (fields.do !== "term") return { problems: ["price_unknown_action"] };
  const [models, factor, from, upstream, note] = (["models", "factor", "from", "upstream", "note"] as const).map(
    typed,
  ) as [string, string, string, string, string];
  const wish = readTerm({ models, factor, from, upstream, note });
  if (Array.isArray(wish)) return { problems: wish };
  const id = nextId();
  return (await addTerm(sql, PROJECT, id, wish)) ? { done: "term", id } : { problems: ["term_too_many"] };
}

/** Without what Postgres cannot store: a zero byte, and half of a surrogate pair. */
const storable = (text: string): string => text.replaceAll("\u0000", "").toWellFormed();
