import { join } from "node:path";
import { startEmbedded } from "#db/embedded.ts";
import { readConfig } from "#lib/config.ts";
import { ensureKey } from "#lib/keys.ts";
import { contentKeyFile } from "#lib/spool/spool-dir.ts";
import { seedArguments } from "./seed-arguments.ts";
import { forSeeding, seedDatabase } from "./seed-database.ts";

/**
 * `npm run seed -- --calls N`: the calls of the demo company at any size, into DATABASE_URL or the embedded database, which may
 * be running: it is used and left running then.
 */
async function main(): Promise<void> {
  const company = seedArguments(process.argv.slice(2), Date.now());
  const config = readConfig();
  const embedded = config.databaseUrl ? null : await startEmbedded({ dir: join(config.dataDir, "postgres") });
  const startedAt = performance.now();
  let calls = 0;
  try {
    await seedDatabase({
      ...company,
      url: config.databaseUrl ?? forSeeding(embedded?.url as string),
      contentKey: config.capture === "full" ? ensureKey(contentKeyFile(config.dataDir)) : null,
      onDay(dayMs, ofDay) {
        calls += ofDay;
        const seconds = (performance.now() - startedAt) / 1000;
        const day = new Date(dayMs).toISOString().slice(0, 10);
        console.log(`${day}  ${calls} of ${company.calls} calls, ${Math.round(calls / seconds)} a second`);
      },
    });
  } finally {
    if (embedded && !embedded.adopted) await embedded.stop();
  }
  console.log(`${calls} calls stored in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
}

// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
try {
  await main();
} catch (error) {
  const known = error instanceof Error && "code" in error && typeof error.code === "string";
  console.error(known ? error.message : error);
  process.exitCode = 1;
}
