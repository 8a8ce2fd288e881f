import type { Sql } from "postgres";
import type { Price } from "#lib/price.ts";
import { insertRows } from "./rows.ts";

/**
 * Adds prices that the store does not know. One that it knows stays as it is: lines were booked with it, and a correction of
 * the price book is a row with another id. With `evenIfKnown` false a known one is the database's error instead, and nothing is stored.
 */
export async function recordPrices(
  sql: Sql,
  prices: readonly Price[],
  { evenIfKnown = true }: { evenIfKnown?: boolean } = {},
): Promise<void> {
  const addedAt = new Date().toISOString();
  const rows = prices.map(({ effectiveFrom, dateBasis, note, ...price }) => ({
    ...price,
    effective_from: effectiveFrom,
    date_basis: dateBasis,
    note: note ?? "",
    added_at: addedAt,
  }));
  await sql.unsafe(`${insertRows("prices", rows)} ${evenIfKnown ? "on conflict (id) do nothing" : ""}`);
}
