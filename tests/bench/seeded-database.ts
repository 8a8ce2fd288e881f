import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbedded } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { forSeeding, seedDatabase } from "#lib/demo/seed-database.ts";

const HOUR_MS = 3_600_000;
const DAYS = 91;

/**
 * A database of one's own with the demo company's calls of the last three months, facts only. It is seeded once per size, which says how
 * far it is, and kept below the temporary folder of the system, on disk: 10 million calls take 22 GB.
 */
export async function seededDatabase(calls: number, say: (line: string) => void) {
  const dir = join(tmpdir(), `omnimeter-bench-${calls}`);
  const finished = join(dir, "seeded");
  if (!existsSync(finished)) rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  // As root the server runs as another user.
  chmodSync(dir, 0o711);
  const server = await startEmbedded({ dir, port: 0 });
  try {
    if (!existsSync(finished)) {
      say(`seeding ${calls} calls into ${dir}, which is kept`);
      let stored = 0;
      await seedDatabase({
        url: forSeeding(server.url),
        contentKey: null,
        add: false,
        seed: 1,
        untilMs: Math.floor(Date.now() / HOUR_MS) * HOUR_MS,
        days: DAYS,
        calls,
        onDay(dayMs, ofDay) {
          stored += ofDay;
          say(`${new Date(dayMs).toISOString().slice(0, 10)}: ${stored} calls`);
        },
      });
      writeFileSync(finished, "");
    }
    await migrate(server.url);
    return { url: server.url, stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
