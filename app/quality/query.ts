import { hrefOf, type Params, type View } from "#app/_frame/view.ts";
import { GROUPINGS, type Grouping } from "#db/queries/quality-page.ts";
import { formatRange } from "#lib/range.ts";

const DEFAULT_RANGE = "30d";

/**
 * The page's parameters with its own default: ratings are few, a day of them says little. Addresses leave 24 hours out, because
 * other pages begin with them: here they are a day, which has to be said.
 */
export const withDefaults = (params: Params): Params => ({
  ...params,
  r: params.r === "24h" ? "1d" : (params.r ?? DEFAULT_RANGE),
});

export const readGrouping = (params: Params): Grouping => GROUPINGS.find((one) => one === params.g) ?? "feature";

/** What the page's links keep besides the view. */
export const ownOf = (grouping: Grouping): NonNullable<View["own"]> => ({
  path: "/quality",
  params: grouping === "feature" ? {} : { g: grouping },
});

/** The page's address for a view and a grouping. The range is always named: other pages have another default. */
export function qualityHref(
  view: View,
  grouping: Grouping,
  changes: Partial<Pick<View, "range" | "filter">> = {},
): string {
  const url = new URL(hrefOf("/quality", { ...view, own: ownOf(grouping) }, changes), "http://dashboard");
  url.searchParams.set("r", formatRange(changes.range ?? view.range));
  const legible = url.search
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%3B", ";")
    .replaceAll("%2F", "/");
  return `${url.pathname}${legible}`;
}
