import type { Difference } from "#lib/rerate-report.ts";
import type { Reader } from "./call-filter.ts";

/** A row of the price book, as it is stored. */
export interface BookRow {
  id: string;
  model: string;
  unit: string;
  direction: string;
  modality: string;
  cache: string;
  tier: string;
  /** Exact decimal, per `per` units. */
  usd: string;
  per: number;
  effectiveFrom: string;
  source: string;
  dateBasis: string;
  confidence: string;
  note: string;
  origin: string;
  /** The newest of its kind that has begun. */
  inForce: boolean;
}

/** Rows whose model or note contains a text, whatever its case; newest first within what they are a price of. At most `limit`. */
export async function bookRows(sql: Reader, text: string, today: string, limit: number): Promise<BookRow[]> {
  return sql<BookRow[]>`
    select
      id, model, unit, direction, modality, cache, tier, trim_scale(usd)::text as usd, per::float8 as per,
      effective_from::text as "effectiveFrom", source, date_basis as "dateBasis", confidence, note,
      coalesce(origin, 'built_in') as origin,
      effective_from <= ${today}::text::date and row_number() over (
        partition by model, direction, modality, cache, tier, unit
        order by effective_from <= ${today}::text::date desc, effective_from desc, coalesce(origin, 'built_in') = 'own' desc,
          coalesce(origin, 'built_in') = 'imported' desc
      ) = 1 as "inForce"
    from prices
    where strpos(lower(model || ' ' || note), ${text.toLowerCase()}) > 0
    order by model, direction, modality desc, cache, tier, unit, effective_from desc, id
    limit ${limit}`;
}

export interface TermRow {
  id: string;
  models: string;
  upstream: string | null;
  factor: string;
  effectiveFrom: string;
  note: string;
  addedAt: Date;
}

/** What the project has agreed on, the newest first. */
export async function termRows(sql: Reader, project: string, limit: number): Promise<TermRow[]> {
  return sql<TermRow[]>`
    select
      id, models, upstream, trim_scale(factor)::text as factor, effective_from::text as "effectiveFrom", note,
      added_at as "addedAt"
    from price_terms where project_id = ${project}
    order by added_at desc, id desc limit ${limit}`;
}

export interface RerateRow {
  id: string;
  fromDay: string;
  /** The last one. */
  toDay: string;
  startedAt: Date;
  /** null: it was stopped, or goes on. */
  finishedAt: Date | null;
  calls: number;
  lines: number;
  /** Of the lines that changed, as far as known; null: none is. */
  beforeUsd: string | null;
  afterUsd: string | null;
  report: { of: string | null; models: Record<string, Difference> } & Difference;
}

/** Periods that were priced again, the newest first. */
export async function rerateRows(sql: Reader, project: string, limit: number): Promise<RerateRow[]> {
  return sql<RerateRow[]>`
    select
      id, from_day::text as "fromDay", to_day::text as "toDay", started_at as "startedAt", finished_at as "finishedAt", calls,
      lines_changed as lines, trim_scale(cost_before_usd)::text as "beforeUsd", trim_scale(cost_after_usd)::text as "afterUsd", report
    from rerates where project_id = ${project}
    order by started_at desc, id desc limit ${limit}`;
}
