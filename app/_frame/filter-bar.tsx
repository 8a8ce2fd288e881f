import { endpointName } from "#app/_ui/endpoint-name.ts";
import { formatDuration } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { OUTCOME_LOOKS } from "#app/_ui/outcomes.ts";
import { METRICS } from "#app/latency/metrics.ts";
import type { Outcome } from "#lib/call.ts";
import { edgeMs, parseBand } from "#lib/latency.ts";
import { MODALITIES } from "#lib/modalities.ts";
import type { Waste } from "#lib/waste.ts";
import { FilterMenu } from "./filter-menu.tsx";
import { ATTRIBUTES, hasMenu, toggled } from "./filter-text.ts";
import { hrefOf, type View } from "./view.ts";

interface Props {
  path: string;
  view: View;
  /** Columns that have a menu here; left out: all that can have one. */
  only?: readonly string[];
}

/** Chips of the filters in force, and menus to add more. Everything is a link: the URL is the state. */
export function FilterBar({ path, view, only }: Props) {
  const chips = filterChips(path, view);
  const query = hrefOf(path, view).split("?")[1] ?? "";
  return (
    <>
      <span className="text-xs text-muted" id="filters">
        Filter
      </span>
      {ATTRIBUTES.filter((attribute) => only?.includes(attribute.column) ?? hasMenu(attribute)).map(
        ({ key, label }) => (
          <FilterMenu key={key} attribute={key} label={label} query={query} path={path} />
        ),
      )}
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
              <Link href={hrefOf(path, view, { filter: {} })} className="text-link inline-flex min-h-6 items-center">
                Remove all
              </Link>
            </li>
          )}
        </ul>
      )}
    </>
  );
}

/** The filters in force, each with the address of the page without it. */
export function filterChips(path: string, view: View) {
  return ATTRIBUTES.flatMap(({ key, label, column }) =>
    (view.filter[column] ?? []).map((value) => ({
      key: `${key}:${value}`,
      attribute: key,
      label,
      name: valueName(key, value),
      href: hrefOf(path, view, { filter: toggled(view.filter, column, value) }),
    })),
  );
}

export function valueName(key: string, value: string): string {
  if (value === "") return "none given";
  if (key === "status") return OUTCOME_LOOKS[value as Outcome].label;
  if (key === "waste") return WASTE_NAMES[value as Waste];
  if (key === "modality") return MODALITIES.find(({ name }) => name === value)?.label ?? value;
  if (key === "endpoint") return endpointName(value);
  return key === "latency" ? bandName(value) : value;
}

const WASTE_NAMES: Record<Waste, string> = {
  aborted: "aborted",
  retried: "failed attempts",
  superseded: "superseded",
};

/** duration:1024..2048 → Duration 1.02 s to 2.05 s */
function bandName(text: string): string {
  const band = parseBand(text);
  if (!band) return text;
  const { label } = METRICS[band.metric];
  const [from, to] = [band.from, band.to].map((edge) => (edge === null ? null : edgeText(edgeMs(edge))));
  if (from && to) return `${label} ${from} to ${to}`;
  return from ? `${label} from ${from}` : to ? `${label} below ${to}` : `${label} known`;
}

const edgeText = (ms: number) => (ms < 1 ? `${Number(ms.toPrecision(2))} ms` : formatDuration(ms));
