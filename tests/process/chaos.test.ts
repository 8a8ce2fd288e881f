import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chaosRounds, killsOf, type Round } from "#tests/long/chaos.ts";
import { faultsOf } from "#tests/long/faults.ts";
import { startVoiceUpstream } from "#tests/long/voices.ts";
import { type Database, startDatabase } from "#tests/support/database.ts";
import { IS_LONG } from "#tests/support/majors.ts";
import { type SmallDisk, smallDisk } from "#tests/support/small-disk.ts";
import { type System, startSystem } from "#tests/support/system.ts";
import type { FakeRealtime } from "#tests/support/upstream/realtime.ts";

const SEED = 20_261_120;
const SHORT_ROUND = ["spool's disk full", "torn batch"];

let dir: string;
let disks: { spool: SmallDisk; database: SmallDisk } | null;
let database: Database;
let system: System;
let voice: FakeRealtime;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "omnimeter-chaos-"));
  // As root the database runs as another user.
  chmodSync(dir, 0o711);
  const spool = smallDisk(join(dir, "spool-disk"), 128);
  const own = spool && smallDisk(join(dir, "database-disk"), 1024);
  disks = spool && own && { spool, database: own };
  database = await startDatabase(disks?.database.dir ?? dir);
  const { upstream, env } = await startVoiceUpstream(SEED);
  voice = upstream;
  system = await startSystem({ database, env, ...(disks && { dataDir: disks.spool.dir }) });
});
afterAll(async () => {
  await system?.stop();
  await voice?.stop();
  await database?.stop();
  disks?.spool.remove();
  disks?.database.remove();
  rmSync(dir, { recursive: true, force: true });
});

test("whatever process is killed at whatever moment, no call that ended is lost or doubled, and the counts are exact", async () => {
  const rounds = await chaosRounds(system, {
    rounds: IS_LONG ? 5 : 3,
    seed: SEED,
    blows: killsOf(system, database),
    voice,
    say: console.log,
  });
  expect(brokenIn(rounds)).toEqual([]);
}, 120_000);

test("whatever fails for a moment, calls go on, none is lost or doubled, and what could not be recorded is counted", async (context) => {
  // The others take their turn in `npm run test:long`.
  const blows = faultsOf({ system, database, disks }).filter(({ name }) => SHORT_ROUND.includes(name));
  const rounds = await chaosRounds(system, { rounds: blows.length, seed: SEED, blows, voice, say: console.log });
  expect(brokenIn(rounds)).toEqual([]);
  if (!disks) context.skip("full disks: this user may not mount a small one");
}, 120_000);

const brokenIn = (rounds: Round[]): string[] =>
  rounds.flatMap(({ round, blow, broken }) => broken.map((what) => `round ${round} (${blow}): ${what}`));
