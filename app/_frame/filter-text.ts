import type { CallFilter } from "#db/queries/call-filter.ts";
import { OUTCOMES } from "#lib/call.ts";
import { formatBand, parseBand } from "#lib/latency.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { WASTES } from "#lib/waste.ts";

/** Attributes in the URL's order: `f=feature:search,chat;status:failed`. An empty value means "none given". */
export const ATTRIBUTES = [
  { key: "feature", label: "Feature", column: "feature" },
  { key: "model", label: "Model", column: "model" },
  { key: "status", label: "Status", column: "outcome" },
  { key: "env", label: "Environment", column: "environment" },
  { key: "customer", label: "Customer", column: "customer" },
  { key: "template", label: "Template", column: "template" },
  { key: "version", label: "Version", column: "templateVersion" },
  { key: "unit", label: "Instructions", column: "unitHash" },
  { key: "cost", label: "Cost", column: "cost" },
  { key: "waste", label: "Waste", column: "waste" },
  { key: "endpoint", label: "Endpoint", column: "endpoint" },
  { key: "modality", label: "Modality", column: "modality" },
  { key: "latency", label: "Latency", column: "latency" },
] as const;

export type Attribute = (typeof ATTRIBUTES)[number];
type ListedAttribute = Extract<Attribute, { column: "feature" | "model" | "outcome" | "environment" }>;

/** Its values can be counted quickly (rollup_calls keeps them), so a menu lists them. Others are filtered by from where they are shown. */
export const hasMenu = (attribute: Attribute): attribute is ListedAttribute => MENUS.has(attribute.column);
const MENUS: ReadonlySet<string> = new Set(["feature", "model", "outcome", "environment"]);

const MOST_VALUES = 50;

/** Reads what it understands and names what it does not: a filter that is silently dropped shows wrong numbers. */
export function parseFilter(text: string): { filter: CallFilter; notUnderstood: string[] } {
  const filter: Record<string, string[]> = {};
  const notUnderstood: string[] = [];
  for (const part of text.split(";")) {
    if (!part) continue;
    const [key, values, more] = part.split(":");
    const attribute = ATTRIBUTES.find((one) => one.key === key);
    if (!attribute || values === undefined || more !== undefined) {
      notUnderstood.push(part);
      continue;
    }
    const given = [...new Set(values.split(",").map(unescaped))];
    const wanted = given.slice(0, MOST_VALUES);
    if (given.length > MOST_VALUES) notUnderstood.push(`${key}: more than ${MOST_VALUES} values`);
    if (filter[attribute.column]) notUnderstood.push(`${key}, given twice`);
    const known = wanted.filter((value) => isKnown(attribute.key, value));
    for (const value of wanted) if (!known.includes(value)) notUnderstood.push(`${key}:${value}`);
    if (known.length) filter[attribute.column] = attribute.key === "latency" ? [...new Set(known.map(snapped))] : known;
  }
  // Outcomes and modalities were checked against their lists above.
  return { filter: filter as CallFilter, notUnderstood };
}

/** Attributes with a closed list of values. */
const CLOSED: Partial<Record<Attribute["key"], readonly string[]>> = {
  status: OUTCOMES,
  cost: ["unpriced"],
  waste: WASTES,
  modality: [...MODALITIES.map(({ name }) => name), ""],
};
const isKnown = (key: Attribute["key"], value: string): boolean =>
  CLOSED[key]?.includes(value) ?? (key === "latency" ? parseBand(value) !== null : !value.includes("\u0000"));

/** As it is understood, with the edges that it means. */
function snapped(text: string): string {
  const band = parseBand(text);
  return band ? formatBand(band) : text;
}

export function formatFilter(filter: CallFilter): string {
  return ATTRIBUTES.flatMap(({ key, column }) => {
    const values = filter[column];
    return values?.length ? [`${key}:${values.map(escaped).join(",")}`] : [];
  }).join(";");
}

/** The filter with one value put in, or taken out when it is there. */
export function toggled(filter: CallFilter, column: Attribute["column"], value: string): CallFilter {
  const values: readonly string[] = filter[column] ?? [];
  const next = values.includes(value) ? values.filter((one) => one !== value) : [...values, value];
  const { [column]: _, ...others } = filter;
  return next.length ? { ...others, [column]: next } : others;
}

/** Signs with a meaning in the filter's text; `!` is kept free for "not". */
const escaped = (value: string) => value.replace(/[%,;:!]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
const unescaped = (text: string) =>
  text.replace(/%(25|2c|3b|3a|21)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
