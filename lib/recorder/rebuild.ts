import { join } from "node:path";
import { open } from "#db/connect.ts";
import { startEmbedded } from "#db/embedded.ts";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { ConfigError, readConfig } from "#lib/config.ts";

/** `npm run rebuild-rollups -- 2026-11-01 2026-12-01`: recomputes the rollups of these UTC days (end exclusive) from calls. */
async function main(): Promise<void> {
  const config = readConfig();
  const [from, to] = process.argv.slice(2).map((day) => Date.parse(`${day}T00:00:00Z`));
  if (!from || !to || !(from < to)) {
    console.error("Usage: npm run rebuild-rollups -- 2026-11-01 2026-12-01 (UTC days, the second one excluded)");
    process.exitCode = 1;
    return;
  }
  const embedded = config.databaseUrl ? null : await startEmbedded({ dir: join(config.dataDir, "postgres") });
  const sql = open(config.databaseUrl ?? (embedded?.url as string), 1);
  try {
    await rebuildRollups(sql, from, to, (day) => console.log(`rebuilt ${day}`));
  } finally {
    await sql.end();
    if (embedded && !embedded.adopted) await embedded.stop();
  }
}

// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
try {
  await main();
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
}
