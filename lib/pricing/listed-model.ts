import type { PriceBook } from "./create-price-book.ts";

/** How answers name models that the list names otherwise. */
const ANSWERED_AS: Readonly<Record<string, string>> = {
  // The only ada-002 there is: https://openai.com/index/new-and-improved-embedding-model/ (its answers have said v2 since 2022).
  "text-embedding-ada-002-v2": "text-embedding-ada-002",
};

const DATED = /^(.+)-(\d{4}-\d\d-\d\d)$/;

/**
 * The name under which the book lists a model. `ft:base:org:suffix:id` is there as `ft:base`, most models as themselves. A snapshot that is
 * not there is the model without a date, when the list of that one begins on the very day that the snapshot names: then it was this snapshot
 * that came out under that name. Any other snapshot may cost something else, and is in no list.
 */
export function listedModel(model: string, { oldest, names }: PriceBook): string {
  const name = model.startsWith("ft:") ? model.split(":", 2).join(":") : (ANSWERED_AS[model] ?? model);
  if (names.has(name)) return name;
  const [, undated, day] = DATED.exec(name) ?? [];
  return undated && oldest.get(undated)?.effectiveFrom === day ? undated : name;
}
