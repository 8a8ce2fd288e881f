import { join } from "node:path";
import type { Sql } from "postgres";
import { open } from "#db/connect.ts";
import { startEmbedded } from "#db/embedded.ts";
import { ConfigError, readConfig } from "#lib/config.ts";

/** Runs a command on the configured database; the embedded one is started for it when nobody else has. */
export async function withDatabase(work: (sql: Sql) => Promise<void>): Promise<void> {
  try {
    const config = readConfig();
    const embedded = config.databaseUrl ? null : await startEmbedded({ dir: join(config.dataDir, "postgres") });
    const sql = open(config.databaseUrl ?? (embedded?.url as string), 2);
    try {
      await work(sql);
    } finally {
      await sql.end({ timeout: 2 });
      if (embedded && !embedded.adopted) await embedded.stop();
    }
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exitCode = 1;
  }
}
