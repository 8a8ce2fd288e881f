import type { Sql } from "postgres";
import { open } from "#db/connect.ts";
import { readConfig } from "#lib/config.ts";

/**
 * Connections by what they are for, each kind with its most: pages never wait for exports, and what tells how the store is, or
 * ends a query in it, waits for neither.
 */
const CONNECTIONS = { pages: 10, exports: 2, health: 4 } as const;
type Use = keyof typeof CONNECTIONS;

const shared = globalThis as { omnimeterDatabases?: Partial<Record<Use, Sql>> };

/** One pool per use and process; kept on the global object because `next dev` loads modules again. */
export function database(use: Use = "pages"): Sql {
  shared.omnimeterDatabases ??= {};
  const known = shared.omnimeterDatabases[use];
  if (known) return known;
  const { databaseUrl } = readConfig();
  if (!databaseUrl) throw new Error("DATABASE_URL is not set: start the dashboard with `npm start`.");
  const pool = open(databaseUrl, CONNECTIONS[use]);
  shared.omnimeterDatabases[use] = pool;
  return pool;
}
