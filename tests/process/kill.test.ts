import { expect, test } from "vitest";
import { killRounds } from "#tests/long/kill.ts";
import { testDatabase } from "#tests/support/postgres.ts";
import { startSystem } from "#tests/support/system.ts";

const SEED = 20_261_120;

test("whatever process is killed at whatever moment, no call that ended is lost or doubled, and the counts are exact", async () => {
  const database = await testDatabase();
  const system = await startSystem({ database });
  try {
    const rounds = await killRounds(system, { rounds: 10, seed: SEED, say: console.log });
    expect(
      rounds.flatMap(({ round, victim, broken }) => broken.map((what) => `round ${round} (${victim}): ${what}`)),
    ).toEqual([]);
  } finally {
    await system.stop();
    await database.drop();
  }
}, 120_000);
