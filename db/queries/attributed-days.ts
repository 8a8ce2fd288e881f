import type { PendingQuery, Row } from "postgres";
import { type AttributedDimension, isLimited } from "#db/fold-attributed.ts";
import type { Interval } from "#lib/range.ts";
import type { CallFilter, Reader, Scope } from "./call-filter.ts";
import { foldedStretches, STRETCHES_MAX } from "./folded-days.ts";

const DAY_MS = 86_400_000;

/** Attributes of the filter that `rollup_attributed` tells apart, by their column. */
const COLUMNS = {
  environment: "environment",
  feature: "feature",
  customer: "customer",
  template: "template",
  templateVersion: "template_version",
  unitHash: "unit_hash",
  model: "model",
  endpoint: "endpoint",
  modality: "modality",
  outcome: "outcome",
} as const satisfies Partial<Record<keyof CallFilter, AttributedDimension>>;
type Attribute = keyof typeof COLUMNS;

export const servedByDays = (filter: CallFilter): boolean => Object.keys(filter).every(isAttribute);

/** Parts of a scope that make it up: each call is in one of them. */
export interface AttributedParts {
  /** Whole UTC days, with values that `rollup_attributed` tells apart: its rows are all that is needed. */
  days: Scope[];
  /** The ends of the range, days that are not folded, and calls of values that were too rare to have a name. */
  calls: Scope[];
}

/**
 * How a scope can be read by days. A day in which one of the reader's `edges` lies is read from calls; `edges` null: all are. null: calls
 * alone can answer.
 */
export async function attributedParts(
  sql: Reader,
  scope: Scope,
  edges: readonly number[] | null,
): Promise<AttributedParts | null> {
  if (!servedByDays(scope.filter)) return null;
  const { days, quarters } = await foldedStretches(sql, scope.project, "attributed", scope.interval, edges);
  if (days.length === 0) return null;
  const parts = stretchesOf(days, await unnamedIn(sql, scope, days)).map((one) => partsOf(scope, one));
  return {
    days: parts.flatMap((part) => part.days),
    calls: [...quarters.map((interval) => ({ ...scope, interval })), ...parts.flatMap((part) => part.calls)],
  };
}

/** SQL: conditions on `rollup_attributed` for whole days of a scope. */
export const ofDays = (sql: Reader, { project, interval, filter }: Scope): PendingQuery<Row[]> => sql`
  project_id = ${project} and day >= ${dateOf(interval.fromMs)}::date and day < ${dateOf(interval.toMs)}::date
  ${attributesOf(filter).reduce(
    (before, name) => sql`${before} and ${sql(COLUMNS[name])} in ${sql([...(filter[name] as readonly string[])])}`,
    sql``,
  )}
  ${filter.unitHash ? sql`and template = ''` : sql``}`;

/** Wanted values by attribute that some day has no name for. */
type Unnamed = Partial<Record<Attribute, readonly string[]>>;

async function unnamedIn(sql: Reader, { project, filter }: Scope, days: readonly Interval[]) {
  const found = new Map<number, Unnamed>();
  const [from, to] = [days[0]?.fromMs ?? 0, days.at(-1)?.toMs ?? 0];
  for (const attribute of attributesOf(filter).filter((name) => isLimited(COLUMNS[name]))) {
    const rows = await sql<{ day: string; unnamed: string[] }[]>`
      select day::text, array(
        select value from unnest(${[...(filter[attribute] as readonly string[])]}::text[]) value where value <> all (kept)
      ) as unnamed
      from attributed_values
      where project_id = ${project} and day >= ${dateOf(from)}::date and day < ${dateOf(to)}::date and attribute = ${COLUMNS[attribute]}`;
    for (const { day, unnamed } of rows)
      if (unnamed.length > 0) found.set(Date.parse(day), { ...found.get(Date.parse(day)), [attribute]: unnamed });
  }
  return found;
}

interface Stretch {
  interval: Interval;
  unnamed: Unnamed;
}

/** Days that follow each other and lack the same names as one; where that leaves too many, what lacks one on some day counts as lacking it on all. */
function stretchesOf(days: readonly Interval[], unnamed: ReadonlyMap<number, Unnamed>): Stretch[] {
  const found: (Stretch & { key: string })[] = [];
  for (const { fromMs, toMs } of days)
    for (let dayMs = fromMs; dayMs < toMs; dayMs += DAY_MS) {
      const lacking = unnamed.get(dayMs) ?? {};
      const key = JSON.stringify(lacking);
      const last = found.at(-1);
      if (last?.key === key && last.interval.toMs === dayMs) last.interval.toMs += DAY_MS;
      else found.push({ key, interval: { fromMs: dayMs, toMs: dayMs + DAY_MS }, unnamed: lacking });
    }
  if (found.length <= STRETCHES_MAX) return found;
  const ever = [...unnamed.values()].reduce<Unnamed>((all, one) => merged(all, one), {});
  return days.map((interval) => ({ interval, unnamed: ever }));
}

const merged = (some: Unnamed, more: Unnamed): Unnamed => {
  const both = { ...some };
  for (const name of attributesOf(more)) both[name] = [...new Set([...(some[name] ?? []), ...(more[name] ?? [])])];
  return both;
};

/**
 * Values with a name are read by days. The rest is divided by the first attribute whose value has none, so that no call is read twice
 * and each part of it asks for a rare value.
 */
function partsOf(scope: Scope, { interval, unnamed }: Stretch): AttributedParts {
  const calls: Scope[] = [];
  let filter: CallFilter = scope.filter;
  for (const name of attributesOf(unnamed)) {
    calls.push({ ...scope, interval, filter: { ...filter, [name]: unnamed[name] } });
    const named = (filter[name] as readonly string[]).filter((value) => !unnamed[name]?.includes(value));
    if (named.length === 0) return { days: [], calls };
    filter = { ...filter, [name]: named };
  }
  return { days: [{ ...scope, interval, filter }], calls };
}

const isAttribute = (name: string): name is Attribute => name in COLUMNS;
const attributesOf = (filter: object): Attribute[] => Object.keys(filter).filter(isAttribute);
const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
