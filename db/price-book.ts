import type { Sql } from "postgres";
import type { Price } from "#lib/price.ts";
import type { PriceTerm, TermWish } from "#lib/price-term.ts";
import { recordPrices } from "./record-prices.ts";

type Reader = Pick<Sql, "unsafe">;

/** Rows of `prices` that did not come with Omnimeter. */
const ADDED = "origin in ('imported', 'own')";

const PRICE = `
  id, model, unit, direction, modality, cache, tier, trim_scale(usd)::text as usd, per::float8 as per,
  effective_from::text as "effectiveFrom", source, date_basis as "dateBasis", confidence, nullif(note, '') as note,
  coalesce(origin, 'built_in') as origin`;

/** Another text whenever a price or a term was added: rows are never changed, and never taken away. */
export async function bookVersion(sql: Reader): Promise<string> {
  const [row] = await sql.unsafe<{ version: string }[]>(`
    select concat_ws(' ', (select count(*) from prices where ${ADDED}), (select count(*) from price_terms)) as version`);
  return row?.version ?? "";
}

/** What was imported or entered, and what projects have agreed on. */
export async function readAdded(sql: Reader): Promise<{ prices: Price[]; terms: PriceTerm[] }> {
  const prices = await sql.unsafe<Price[]>(`select ${PRICE} from prices where ${ADDED} order by id`);
  return { prices: [...prices], terms: await readTerms(sql) };
}

async function readTerms(sql: Reader): Promise<PriceTerm[]> {
  const rows = await sql.unsafe<PriceTerm[]>(`
    select
      id, project_id as "projectId", models, upstream, trim_scale(factor)::text as factor,
      effective_from::text as "effectiveFrom", note, floor(extract(epoch from added_at) * 1000)::float8 as "addedAtMs"
    from price_terms order by added_at, id`);
  return [...rows];
}

/** Adds prices that nobody knows yet, all or none. False: one of them has been added meanwhile, and nothing was stored. */
export async function addPrices(sql: Sql, prices: readonly Price[]): Promise<boolean> {
  try {
    await recordPrices(sql, prices, { evenIfKnown: false });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    return false;
  }
}

const UNIQUE_VIOLATION = "23505";
/** Each is asked for every line that is priced. */
export const TERMS_MAX = 1000;

/** False: the project has as many terms as it may have. */
export async function addTerm(sql: Sql, project: string, id: string, wish: TermWish): Promise<boolean> {
  const rows = await sql`
    insert into price_terms (id, project_id, models, upstream, factor, effective_from, note)
    select
      ${id}::uuid, ${project}, ${wish.models}, ${wish.upstream}, ${wish.factor}::text::numeric, ${wish.effectiveFrom}::text::date,
      ${wish.note}
    where (select count(*) from price_terms where project_id = ${project}) < ${TERMS_MAX}
    returning id`;
  return rows.length === 1;
}
