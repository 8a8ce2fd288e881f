import { open } from "#db/connect.ts";
import { migrate } from "#db/migrate.ts";
import { recordPrices } from "#db/record-prices.ts";
import { SEED_CONNECTIONS, seedCalls } from "#db/seed/seed-calls.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { type CompanyOptions, callsOfCompany, companyName } from "./company.ts";
import { withContents } from "./contents.ts";
import { DemoError } from "./demo-error.ts";
import { plantAlerts } from "./plant-alerts.ts";

export interface SeedOptions extends CompanyOptions {
  url: string;
  /** null: facts only. */
  contentKey: Buffer | null;
  /** Beside calls that are there already. */
  add: boolean;
  onDay?: (dayMs: number, calls: number) => void;
}

const DUPLICATE = "23505";

/**
 * The address of an embedded database as seeding uses it: a commit does not wait for the disk (stopping in order writes
 * everything down; what was cut short is seeded anew). Not for others: a pooler in between may refuse such parameters.
 */
export const forSeeding = (url: string): string => `${url}?synchronous_commit=off`;

/** Fills a database with the calls of a company. @throws DemoError, StoreError */
export async function seedDatabase({ url, contentKey, add, onDay, ...company }: SeedOptions): Promise<void> {
  await migrate(url);
  const sql = open(url, SEED_CONNECTIONS);
  try {
    const [found] = await sql<{ calls: boolean; closed: boolean }[]>`
      select exists (select 1 from calls) as calls, exists (select 1 from closed_periods) as closed`;
    if (found?.calls && !add)
      throw new DemoError(
        "has_calls",
        "The database holds calls already: add --add to seed beside them, or choose an empty one.",
      );
    if (found?.closed)
      throw new DemoError(
        "month_closed",
        "The database has closed months, into which nothing may be booked: choose another one.",
      );
    await recordPrices(sql, PRICES);
    const known = await sql<{ unit_hash: string }[]>`select unit_hash from instructions where project_id = 'default'`;
    const knownInstructions = new Set(known.map((row) => row.unit_hash));
    const made = callsOfCompany(company, { contentKey, knownInstructions });
    const batches = contentKey ? withContents(made, { calls: company.calls, contentKey, knownInstructions }) : made;
    await seedCalls(sql, companyName(company), batches, onDay);
    // Somebody's own rules are not touched.
    if (!add) await plantAlerts(sql, company.untilMs);
  } catch (error) {
    if ((error as { code?: unknown }).code !== DUPLICATE) throw error;
    throw new DemoError("seeded_twice", "The database holds these calls already: choose another --seed.");
  } finally {
    await sql.end({ timeout: 5 });
  }
}
