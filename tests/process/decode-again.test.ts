import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startClients } from "#tests/long/clients.ts";
import { ask } from "#tests/support/http-client.ts";
import { IS_LONG } from "#tests/support/majors.ts";
import { testDatabase } from "#tests/support/postgres.ts";
import { haveRecordings, readRecordings, requestBody, startReplay } from "#tests/support/replay.ts";
import { seeded } from "#tests/support/split.ts";
import { startSystem } from "#tests/support/system.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const KEEP = { OMNIMETER_KEEP_SPOOL: "on" };

/** `npm run decode-again` and what it says. */
async function decodeAgain(system: { dataDir: string }, database: { url: string }, ...args: string[]) {
  const child = spawn(process.execPath, ["lib/recorder/decode-again.ts", ...args], {
    cwd: ROOT,
    env: {
      NODE_ENV: "test",
      PATH: process.env.PATH,
      OMNIMETER_DATA_DIR: system.dataDir,
      DATABASE_URL: database.url,
      ...KEEP,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  await once(child, "close");
  return said;
}

const figure = (said: string, what: string) => Number(new RegExp(`\\b${what}: (\\d+)`).exec(said)?.[1] ?? Number.NaN);

test.runIf(IS_LONG)(
  "calls are decoded again while others come, the counts and rollups stay exact, and a second run finds nothing to do",
  async () => {
    const database = await testDatabase();
    const system = await startSystem({ database, env: KEEP });
    try {
      const clients = startClients(() => system.proxyUrl, 6, seeded(9));
      await expect.poll(async () => (await system.calls()).length, { timeout: 10_000 }).toBeGreaterThan(40);
      await database.sql`update calls set decoder_version = 0`;
      const dry = await decodeAgain(system, database, "--dry-run");
      expect(figure(dry, "unchanged")).toBeGreaterThanOrEqual(40);
      expect(figure(dry, "changed")).toBe(0);
      expect(await database.sql`select 1 from calls where decoder_version = 0 limit 1`).toHaveLength(1);
      const first = await decodeAgain(system, database);
      expect(figure(first, "unchanged")).toBeGreaterThanOrEqual(40);
      expect(first).not.toMatch(/no longer decodable|refused|not stored/);
      await clients.stop();
      await system.drained();
      const second = await decodeAgain(system, database);
      expect([figure(second, "unchanged"), figure(second, "changed")]).toEqual([0, 0]);
      expect(figure(second, "already")).toBe((await system.calls()).length);
      expect(await decodeAgain(system, database, "--from", "2001-01-01", "--to", "2001-02-01")).toMatch(/^0 calls/);
      const [counted] = await database.sql`
      select (select count(*) from calls)::int as calls, (select sum(calls) from rollup_calls)::int as counted`;
      expect(counted?.counted).toBe(counted?.calls);
    } finally {
      await system.stop();
      await database.drop();
    }
  },
  60_000,
);

if (!haveRecordings) console.log("Skipped: the recordings of OpenAI traffic are not on this machine.");
test.skipIf(!haveRecordings || !IS_LONG)(
  "recorded OpenAI traffic that is read again by the same decoder is the same",
  async () => {
    const recordings = readRecordings();
    const replay = await startReplay(recordings);
    const database = await testDatabase();
    const system = await startSystem({ database, upstreamUrl: replay.url, env: KEEP });
    try {
      for (const recording of recordings) {
        const { method, path } = recording.request;
        const body = requestBody(recording);
        const headers = ["x-recording", recording.id, "x-split", '"whole"', "content-type", "application/json"];
        await ask(system.proxyUrl + path, { method, headers, ...(body && { body }) });
      }
      await system.drained();
      // Those that came out of exchanges too: lines of batches.
      const calls = await database.sql`update calls set decoder_version = 0 returning parent_id`;
      expect(calls.filter(({ parent_id }) => parent_id === null)).toHaveLength(recordings.length);
      const said = await decodeAgain(system, database);
      expect([figure(said, "unchanged"), figure(said, "changed")]).toEqual([calls.length, 0]);
    } finally {
      await system.stop();
      await database.drop();
      await replay.stop();
    }
  },
  60_000,
);
