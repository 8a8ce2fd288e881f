import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { migrate } from "#db/migrate.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { canBeNobody, cleanUp, dataDir, listen, NOBODY, type Start, start } from "./starter.ts";

// Everything that keeps Omnimeter from starting: one clear sentence, exit code 1, nothing left running or damaged.

const dir = dataDir();
afterAll(cleanUp);

async function refusal(run: Start, says: RegExp) {
  expect(await run.ended).toBe(1);
  expect(run.stdout()).toBe("");
  expect(run.stderr()).toMatch(says);
  expect(run.stderr().trim().split("\n"), run.stderr()).toHaveLength(1);
  return run;
}

test.each(["OMNIMETER_PROXY_PORT", "OMNIMETER_DASHBOARD_PORT"])("the port of %s is in use", async (variable) => {
  const { port, server } = await listen();
  const run = await refusal(
    start(dir, { [variable]: String(port) }),
    new RegExp(
      `^Port ${port} on 127\\.0\\.0\\.1 is in use: stop what listens there, or set ${variable} to another port\\.`,
    ),
  );
  expect(run.events()).toEqual([]);
  server.close();
});

test("an address that this machine does not have", async () => {
  await refusal(
    start(dir, { OMNIMETER_HOST: "192.0.2.1" }),
    /cannot listen on 192\.0\.2\.1 \(EADDRNOTAVAIL\): set OMNIMETER_HOST/,
  );
});

test("bad settings", async () => {
  await refusal(
    start(dir, { OMNIMETER_WORKERS: "many", OMNIMETER_CAPTURE: "all" }),
    /^Omnimeter cannot start: OMNIMETER_WORKERS is "many".*; OMNIMETER_CAPTURE is "all"; it takes full or facts\.$/m,
  );
});

test("a data folder that is a file", async () => {
  const file = join(dir, "file");
  writeFileSync(file, "");
  await refusal(
    start(file, { OMNIMETER_TEST_EVENTS: join(dir, "events") }),
    /cannot be used \(EEXIST|ENOTDIR\).*OMNIMETER_DATA_DIR/,
  );
});

test.skipIf(!canBeNobody())("a data folder that cannot be written", async () => {
  // Root may write everywhere, so this is tried as somebody else.
  const closed = dataDir();
  const run = start(closed, { OMNIMETER_TEST_EVENTS: "/dev/null" }, { as: NOBODY });
  await refusal(run, /cannot be used \(EACCES\): give this user the right to write there/);
});

test.each([
  ["a DATABASE_URL that is none", "mysql://x/y", /^Omnimeter cannot start: DATABASE_URL does not look like postgres:/],
  [
    "a database that does not answer",
    "postgres://me:pw@127.0.0.1:1/db",
    /^No database answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)/,
  ],
])("%s", async (_what, url, says) => {
  await refusal(start(dir, { DATABASE_URL: url }), says);
});

test("a part that has a reason not to start", async () => {
  const db = await testDatabase();
  for (const name of ["recorder", "proxy", "dashboard"])
    await refusal(
      start(dir, { DATABASE_URL: db.url, OMNIMETER_TEST_FAIL: name }),
      new RegExp(`^The ${name} has a reason\\.$`, "m"),
    );
  await db.drop();
});

const damaged: [what: string, damage: string, says: RegExp][] = [
  [
    "a newer database",
    "insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 9999999999999)",
    /newer version of Omnimeter/,
  ],
  ["a half-migrated database", "drop table set_aside", /its table "set_aside" is missing/],
];
test.each(damaged)("%s", async (_what, damage, says) => {
  const db = await testDatabase();
  await db.sql.unsafe(damage);
  await refusal(start(dir, { DATABASE_URL: db.url }), says);
  await db.drop();
});

test("a database of one's own is used, migrated and left running", async () => {
  const db: TestDatabase = await testDatabase(15, { empty: true });
  const run = start(dir, { DATABASE_URL: db.url });
  await run.ready();
  run.process.kill("SIGTERM");
  expect(await run.ended).toBe(0);
  await migrate(db.url);
  expect(await db.sql`select count(*) as n from calls`).toEqual([{ n: 0 }]);
  await db.drop();
});

test("npm cannot install: one sentence that says what to do", () => {
  const script = `import("./lib/setup/install.mjs").then(async ({ install, SetupError }) => {
    await install(process.argv[1]).catch((error) => { console.log(error instanceof SetupError, error.message); });
  })`;
  const clone = dataDir();
  writeFileSync(join(clone, "package-lock.json"), "{}");
  writeFileSync(join(clone, "package.json"), "{}");
  const { stdout } = spawnSync(process.execPath, ["-e", script, clone], {
    encoding: "utf8",
    env: { PATH: "/nowhere" } as never,
  });
  expect(stdout).toMatch(/^true The packages could not be installed: npm ci was not found\./);
});
