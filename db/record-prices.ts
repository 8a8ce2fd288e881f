import type { Sql } from "postgres";
import { insertRows } from "./rows.ts";

/** A row of the price book (lib/pricing). */
interface Price {
  id: string;
  model: string;
  unit: string;
  direction: string;
  modality: string;
  cache: string;
  tier: string;
  usd: string;
  per: number;
  effectiveFrom: string;
  source: string;
  dateBasis: string;
  confidence: string;
  note: string | null;
}

/**
 * Adds prices that the store does not know. One that it knows stays as it is: lines were booked with it, and a correction of
 * the price book is a row with another id.
 */
export async function recordPrices(sql: Sql, prices: readonly Price[]): Promise<void> {
  const rows = prices.map(({ effectiveFrom, dateBasis, note, ...price }) => ({
    ...price,
    effective_from: effectiveFrom,
    date_basis: dateBasis,
    note: note ?? "",
  }));
  await sql.unsafe(`${insertRows("prices", rows)} on conflict (id) do nothing`);
}
