import { uuid7Floor } from "#db/partitions.ts";
import type { calls } from "#db/schema.ts";
import type { UsageLine } from "#lib/call.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import { OPERATION_MS } from "#lib/waste.ts";
import type { Reader } from "./call-filter.ts";
import { type CallFilter, matching } from "./call-filter.ts";
import { moneyOf } from "./calls-page.ts";

const WEEK_MS = 7 * 86_400_000;

export type CallFacts = typeof calls.$inferSelect;

/** Everything known about one call, but its content. */
export async function callFacts(sql: Reader, project: string, id: string): Promise<CallFacts | null> {
  const [row] = await sql<Record<string, unknown>[]>`
    select * from calls where project_id = ${project} and id = ${id}::uuid`;
  // The columns are the schema's; only their names change from snake_case.
  return row
    ? (Object.fromEntries(Object.entries(row).map(([name, value]) => [camel(name), value])) as CallFacts)
    : null;
}

export type LineSum = Pick<UsageLine, "direction" | "modality" | "cache" | "unit" | "product" | "quantity">;

/** What the call used, adjustments included: direction × modality × cache state, and fees. */
export async function usageOfCall(sql: Reader, id: string): Promise<LineSum[]> {
  return sql<LineSum[]>`
    select direction, modality, cache, unit, max(product) as product, sum(quantity)::float8 as quantity
    from usage_lines where call_id = ${id}::uuid
    group by direction, modality, cache, unit
    order by direction, modality desc, cache, unit`;
}

export interface PricedLineRow extends LineSum {
  adjustment: number;
  source: string;
  bookedOn: string;
  /** Exact decimals, as all money; null: unpriced. */
  priceUsd: string | null;
  pricePer: number | null;
  costUsd: string | null;
  /** The row of the price book: the model and tier that it lists, and its own amount, before what a region adds and what was agreed on. */
  priceModel: string | null;
  priceTier: string | null;
  listUsd: string | null;
  priceFrom: string | null;
  priceConfidence: string | null;
  priceSource: string | null;
  /** Where it was processed, where that has a price of its own. */
  priceRegion: string | null;
  /** The discount or markup: times the list's price. */
  termFactor: string | null;
  termNote: string | null;
}

/** Everything booked for the call, in the order it was booked, with where its price comes from. */
export async function linesOfCall(sql: Reader, id: string): Promise<PricedLineRow[]> {
  const rows = await sql<(Omit<PricedLineRow, "termFactor" | "termNote"> & { priceId: string | null })[]>`
    select
      l.adjustment, l.direction, l.modality, l.cache, l.unit, l.product, l.quantity::float8 as quantity, l.source,
      l.booked_on::text as "bookedOn", trim_scale(l.price_usd)::text as "priceUsd", l.price_per::float8 as "pricePer",
      trim_scale(l.cost_usd)::text as "costUsd",
      p.effective_from::text as "priceFrom", p.confidence as "priceConfidence", p.source as "priceSource",
      p.model as "priceModel", p.tier as "priceTier", trim_scale(p.usd)::text as "listUsd",
      substring(l.price_id from '#region:([^#]*)') as "priceRegion", l.price_id as "priceId"
    from usage_lines l left join prices p on p.id = split_part(l.price_id, '#', 1)
    where l.call_id = ${id}::uuid
    order by l.adjustment, l.direction, l.modality desc, l.cache, l.unit`;
  const terms = await termsIn(sql, rows);
  return rows.map(({ priceId, ...row }) => {
    const { factor = null, note = null } = terms.find((term) => priceId?.includes(`#${term.id}`)) ?? {};
    return { ...row, termFactor: factor, termNote: note };
  });
}

/** The discounts and markups that the ids of prices name behind a `#` (lib/pricing/find-line-price.ts). */
async function termsIn(sql: Reader, rows: readonly { priceId: string | null }[]) {
  const named = rows.flatMap(({ priceId }) => priceId?.split("#").slice(1) ?? []);
  const ids = [...new Set(named.filter((name) => !name.startsWith("region:")))];
  if (ids.length === 0) return [];
  return sql<{ id: string; factor: string; note: string }[]>`
    select id, trim_scale(factor)::text as factor, note from price_terms where id::text = any(${ids})`;
}

/** What the call cost: as on the list. */
export async function costOfCall(sql: Reader, id: string): Promise<{ costUsd: string | null; unpriced: boolean }> {
  const [row] = await sql<{ costUsd: string | null; unpriced: boolean }[]>`${moneyOf(sql, sql`${id}::uuid`)}`;
  return row ?? { costUsd: null, unpriced: false };
}

export interface ToolRow {
  index: number;
  choice: number;
  toolCallId: string | null;
  type: string;
  name: string;
  argumentBytes: number;
}

export async function toolCallsOf(sql: Reader, id: string): Promise<ToolRow[]> {
  return sql<ToolRow[]>`
    select index, choice, tool_call_id as "toolCallId", type, name, argument_bytes as "argumentBytes"
    from tool_calls where call_id = ${id}::uuid order by index`;
}

/** Sealed content, and what redaction replaced before sealing. null: none is stored. */
export async function payloadOf(
  sql: Reader,
  id: string,
): Promise<{ sealed: Buffer; redactions: Record<string, number> } | null> {
  const [row] = await sql<{ sealed: Buffer; redactions: Record<string, number> }[]>`
    select sealed, redactions from payloads where call_id = ${id}::uuid`;
  return row ?? null;
}

/** Up to when content was ever stored: tells "not kept any more" from "never kept". */
export async function oldestPayloadMs(sql: Reader): Promise<number | null> {
  const [row] = await sql<{ id: string }[]>`select call_id as id from payloads order by call_id limit 1`;
  return row ? uuid7Ms(row.id) : null;
}

export interface AttemptRow {
  id: string;
  attempt: number;
  outcome: CallFacts["outcome"];
  status: number | null;
  startedAt: Date;
  durationMs: number | null;
  usageSource: CallFacts["usageSource"];
  problems: string[];
  costUsd: string | null;
  unpriced: boolean;
}

/**
 * The calls that one operation took, this one included, in the order in which they began; at most `limit`, the first. Looked
 * for within an hour on both sides, so that partitions prune.
 */
export async function attemptsOf(sql: Reader, project: string, call: CallFacts, limit: number): Promise<AttemptRow[]> {
  const atMs = uuid7Ms(call.id);
  return sql<AttemptRow[]>`
    with attempt as (
      select
        id, attempt, outcome, status, started_at as "startedAt", duration_ms as "durationMs",
        usage_source as "usageSource", problems
      from calls
      where project_id = ${project}
        -- The first one is found by its key (another attempt may name it by that); the index on the others leaves calls out that are operations of their own.
        and (id = ${call.operationId}::uuid or operation_id = ${call.operationId}::uuid and operation_id <> id)
        and id >= ${uuid7Floor(atMs - OPERATION_MS)}::uuid and id < ${uuid7Floor(atMs + OPERATION_MS)}::uuid
      order by id limit ${limit}
    )
    select attempt.*, money.* from attempt cross join lateral (${moneyOf(sql, sql`attempt.id`)}) money
    order by id`;
}

/** The calls before and after this one under the list's filters, no more than a week away. */
export async function neighboursOf(
  sql: Reader,
  project: string,
  id: string,
  filter: CallFilter,
): Promise<{ older: string | null; newer: string | null }> {
  const atMs = uuid7Ms(id);
  const [row] = await sql<{ older: string | null; newer: string | null }[]>`
    select
      (select id from calls
        where project_id = ${project} and id < ${id}::uuid and id >= ${uuid7Floor(atMs - WEEK_MS)}::uuid
          ${matching(sql, filter, { fromMs: atMs - WEEK_MS, toMs: atMs + 1 })}
        order by id desc limit 1) as older,
      (select id from calls
        where project_id = ${project} and id > ${id}::uuid and id < ${uuid7Floor(atMs + WEEK_MS)}::uuid
          ${matching(sql, filter, { fromMs: atMs, toMs: atMs + WEEK_MS })}
        order by id limit 1) as newer`;
  return row ?? { older: null, newer: null };
}

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
