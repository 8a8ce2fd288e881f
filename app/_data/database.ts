import type { Sql } from "postgres";
import { open } from "#db/connect.ts";
import { readConfig } from "#lib/config.ts";

const shared = globalThis as { omnimeterDatabase?: Sql };

/** One pool per process; kept on the global object because `next dev` loads modules again. */
export function database(): Sql {
  if (!shared.omnimeterDatabase) {
    const { databaseUrl } = readConfig();
    if (!databaseUrl) throw new Error("DATABASE_URL is not set: start the dashboard with `npm start`.");
    shared.omnimeterDatabase = open(databaseUrl, 10);
  }
  return shared.omnimeterDatabase;
}
