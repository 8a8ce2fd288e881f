import type { CallFilter } from "#db/queries/call-filter.ts";
import { ATTRIBUTES } from "./filter-text.ts";

/** "a filter by customer": the filters in force that a page's rollup does not keep apart; null: it keeps them all. */
export function unservedBy(filter: CallFilter, kept: readonly string[]): string | null {
  const names = ATTRIBUTES.filter(({ column }) => filter[column] && !kept.includes(column)).map(({ label }) =>
    label.toLowerCase(),
  );
  return names.length ? `a filter by ${names.join(" and ")}` : null;
}
