import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { withDatabase } from "./with-database.ts";

// `npm run rebuild-rollups -- 2026-11-01 2026-12-01`: recomputes the rollups of these UTC days (end exclusive) from calls.
// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
const [from, to] = process.argv.slice(2).map((day) => Date.parse(`${day}T00:00:00Z`));
if (from && to && from < to)
  await withDatabase((sql) => rebuildRollups(sql, from, to, (day) => console.log(`rebuilt ${day}`)));
else {
  console.error("Usage: npm run rebuild-rollups -- 2026-11-01 2026-12-01 (UTC days, the second one excluded)");
  process.exitCode = 1;
}
