import { filterChips } from "#app/_frame/filter-bar.tsx";
import { FilterMenu } from "#app/_frame/filter-menu.tsx";
import { ATTRIBUTES } from "#app/_frame/filter-text.ts";
import { Link } from "#app/_ui/link.tsx";
import type { SpendDimension } from "#db/rollup-spend.ts";
import { asSpendHref, type SpendView, spendHref } from "./spend-view.ts";

/** What spend is kept by, so that a menu can list its values. */
export const MENUS = {
  feature: "feature",
  customer: "customer",
  template: "template",
  model: "model",
  env: "environment",
} as const satisfies Record<string, SpendDimension>;

export const isMenu = (key: string): key is keyof typeof MENUS => key in MENUS;

/** Chips of the filters in force, and menus to add more. */
export function SpendFilters({ view }: { view: SpendView }) {
  const chips = spendChips(view);
  const query = spendHref(view).split("?")[1] ?? "";
  return (
    <search aria-label="Filters" className="flex min-h-7 flex-wrap items-center gap-2">
      <span className="text-xs text-muted" id="filters">
        Filter
      </span>
      {ATTRIBUTES.filter(({ key }) => isMenu(key)).map(({ key, label }) => (
        <FilterMenu key={key} attribute={key} label={label} query={query} path="/spend" />
      ))}
      {chips.length > 0 && (
        <ul aria-labelledby="filters" className="flex min-w-0 flex-wrap items-center gap-2">
          {chips.map((chip) => (
            <li key={chip.key} className="min-w-0">
              <Link
                href={chip.href}
                className="control max-w-full !border-accent"
                data-testid={`filter-${chip.attribute}`}
              >
                <span className="sr-only">Remove filter</span>
                <span className="text-muted">{chip.label}</span>
                <span className="max-w-60 truncate">{chip.name}</span>
                <span aria-hidden="true">×</span>
              </Link>
            </li>
          ))}
          {chips.length > 1 && (
            <li>
              <Link href={spendHref(view, { filter: {} })} className="text-link inline-flex min-h-6 items-center">
                Remove all
              </Link>
            </li>
          )}
        </ul>
      )}
    </search>
  );
}

export const spendChips = (view: SpendView) =>
  filterChips("/spend", view).map((chip) => ({ ...chip, href: asSpendHref(chip.href, view) }));
