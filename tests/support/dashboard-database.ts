import type { Sql } from "postgres";

const shared = globalThis as { omnimeterDatabases?: Record<string, Sql> };

/** The dashboard's own functions read this database from now on; resolves when what they had open before is closed. */
export async function useDatabase(url: string): Promise<void> {
  const before = Object.values(shared.omnimeterDatabases ?? {});
  delete shared.omnimeterDatabases;
  process.env.DATABASE_URL = url;
  await Promise.all(before.map((pool) => pool.end({ timeout: 5 })));
}
