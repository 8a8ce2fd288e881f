import type { Sql } from "postgres";
import { appliedMigrations, databaseNewer, type Migration, readMigrations } from "./migrations.ts";
import { StoreError } from "./store-error.ts";

/** What this process was written for: the files may be another version's while it runs. */
let known: Migration[] | null = null;

/**
 * Refuses a database whose schema is another version's: what an older process stores would lack what the newer one counts, and be
 * counted wrong. Its spool keeps the calls meanwhile.
 * @throws StoreError, or the database's own error: that says nothing about its schema.
 */
export async function assertMigrated(sql: Sql): Promise<void> {
  known ??= readMigrations();
  const applied = await appliedMigrations(sql);
  if (applied.length > known.length) throw databaseNewer(applied.length, known.length);
  const last = applied.at(-1)?.hash;
  if (applied.length === known.length && last === known.at(-1)?.hash) return;
  throw new StoreError(
    "database_not_migrated",
    `The database does not have this version's schema yet (${applied.length} of ${known.length} migrations): ` +
      "run `npm start` of this version with the same DATABASE_URL, as a user that may create tables; it brings the schema up to date.",
  );
}
