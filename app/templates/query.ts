import { hrefOf, type Params, type View } from "#app/_frame/view.ts";
import type { CallFilter } from "#db/queries/call-filter.ts";
import { TEMPLATE_SORTS, type TemplateSort } from "#db/queries/templates-page.ts";

const DEFAULT_RANGE = "30d";

/**
 * The page's parameters with its own default range. Addresses leave 24 hours out, because other pages begin with them: here
 * they are a day, which has to be said.
 */
export const withDefaults = (params: Params): Params => ({
  ...params,
  r: params.r === "24h" ? "1d" : (params.r ?? DEFAULT_RANGE),
});

export const readSort = (params: Params): TemplateSort => TEMPLATE_SORTS.find((one) => one === params.s) ?? "cost";

/** What the page's links keep besides the view. */
export const ownOf = (sort: TemplateSort): NonNullable<View["own"]> => ({
  path: "/templates",
  params: sort === "cost" ? {} : { s: sort },
});

export const templatesHref = (view: View, sort: TemplateSort): string =>
  hrefOf("/templates", { ...view, own: ownOf(sort) });

/** The same calls on another page, or fewer of them. The zone goes along: a month means another stretch of time in another one. */
export const elsewhereHref = (path: string, view: View, filter: CallFilter = {}): string =>
  hrefOf(path, { ...view, zonePinned: true }, { filter: { ...view.filter, ...filter } });
