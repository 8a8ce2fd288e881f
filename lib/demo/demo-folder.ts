import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEmbedded } from "#db/embedded.ts";
import { emptyDatabase } from "#db/seed/empty-database.ts";
import { ensureKey } from "#lib/keys.ts";
import { createLog } from "#lib/log.ts";
import { progress } from "#lib/setup/progress.mjs";
import { contentKeyFile, spoolRoot } from "#lib/spool/spool-dir.ts";
import { claimDataDir } from "#lib/supervisor/claim-data-dir.ts";
import { DemoError } from "./demo-error.ts";
import { forSeeding, seedDatabase } from "./seed-database.ts";

/** What the folder's note says: it is there before the first call is, and complete only when all of them are. */
interface Note {
  untilMs: number;
  complete: boolean;
}

interface Options {
  dir: string;
  calls: number;
  days: number;
  nowMs: number;
  /** Away with what is there. */
  renew: boolean;
}

/**
 * Makes sure that the folder holds the demo company, and returns until when it reaches. A folder with anybody's own data is
 * refused; one whose seeding was interrupted is seeded anew.
 * @throws DemoError, StartError
 */
export async function prepareDemoFolder({ dir, calls, days, nowMs, renew }: Options): Promise<number> {
  const found = readNote(dir);
  if (!found && (existsSync(join(dir, "postgres")) || existsSync(spoolRoot(dir))))
    throw new DemoError(
      "not_a_demo",
      `${dir} holds data that is not the demo's: unset OMNIMETER_DATA_DIR, or set it to a folder for the demo alone.`,
    );
  if (found?.complete && !renew) return found.untilMs;
  const release = claimDataDir(dir);
  try {
    const untilMs = Math.floor(nowMs / 1000) * 1000;
    writeNote(dir, { untilMs, complete: false });
    await seed(dir, { calls, days, untilMs, seed: 1 }, found !== null);
    writeNote(dir, { untilMs, complete: true });
    return untilMs;
  } finally {
    release();
  }
}

async function seed(
  dir: string,
  company: Omit<Parameters<typeof seedDatabase>[0], "url" | "contentKey" | "add">,
  isUsed: boolean,
) {
  const log = createLog("demo");
  const postgres = join(dir, "postgres");
  mkdirSync(postgres, { recursive: true });
  const embedded = await startEmbedded({ dir: postgres, log: (sentence) => log.info(sentence) });
  const line = progress(`Making ${company.calls} calls of the last ${company.days} days, once`);
  let done = "Making the demo data failed";
  try {
    if (isUsed) {
      await emptyDatabase(embedded.url);
      rmSync(spoolRoot(dir), { recursive: true, force: true });
    }
    const contentKey = ensureKey(contentKeyFile(dir));
    await seedDatabase({ ...company, url: forSeeding(embedded.url), contentKey, add: false });
    done = "Demo data made";
  } finally {
    line.done(done);
    await embedded.stop();
  }
}

const noteFile = (dir: string) => join(dir, "demo.json");

function readNote(dir: string): Note | null {
  try {
    return JSON.parse(readFileSync(noteFile(dir), "utf8")) as Note;
  } catch {
    return null;
  }
}

function writeNote(dir: string, note: Note): void {
  writeFileSync(`${noteFile(dir)}.new`, JSON.stringify(note));
  renameSync(`${noteFile(dir)}.new`, noteFile(dir));
}
