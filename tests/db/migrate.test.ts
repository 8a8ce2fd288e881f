import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertMigrated } from "#db/assert-migrated.ts";
import { assertVersion, migrate } from "#db/migrate.ts";
import { readMigrations, tablesOf } from "#db/migrations.ts";
import { MAJORS } from "#tests/support/majors.ts";
import { migrateTo, migrating, objectsOf, recordOf, withMigration } from "#tests/support/migrations.ts";
import { administer, type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

describe.each(MAJORS)("on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  beforeEach(async () => {
    db = await testDatabase(major, { empty: true });
  });
  afterEach(() => db.drop());

  const objects = () => objectsOf(db.sql);
  const record = () => recordOf(db.sql);

  test("an empty database gets every table, a record and partitions around today", async () => {
    await migrate(db.url);
    const names = (await objects()).map(({ name }) => name);
    for (const table of tablesOf(readMigrations())) expect(names).toContain(`public.${table}`);
    expect(await record()).toHaveLength(readMigrations().length);
    const [row] = await db.sql`select count(*) as n from pg_inherits where inhparent = 'calls'::regclass`;
    expect(row?.n).toBeGreaterThan(3);
  });

  test("a second time changes nothing", async () => {
    await migrate(db.url);
    const before = [await objects(), await record()];
    await migrate(db.url);
    expect([await objects(), await record()]).toEqual(before);
  });

  test("five processes that start at once migrate once", async () => {
    await Promise.all(Array.from({ length: 5 }, () => promisify(execFile)(process.execPath, migrating(db.url))));
    expect(await record()).toHaveLength(readMigrations().length);
  });

  test.each([
    ["that cannot be read", 'CREATE TABLE "half" (id int);\n--> statement-breakpoint\nnonsense;'],
    ["that fails half-way", 'CREATE TABLE "half" (id int);\n--> statement-breakpoint\nselect 1 / 0;'],
  ])("a migration %s leaves nothing behind, and the next start succeeds", async (_what, text) => {
    const broken = withMigration("9999_broken", text);
    await expect(migrate(db.url, { folder: broken.folder })).rejects.toMatchObject({ code: "database_refused" });
    expect(await objects()).toHaveLength(0);
    await migrate(db.url);
    broken.remove();
  });

  test("a later migration is applied on top of the earlier ones", async () => {
    await migrate(db.url);
    const later = withMigration("9999_later", 'CREATE TABLE "later" (id int);');
    await migrate(db.url, { folder: later.folder });
    expect(await record()).toHaveLength(readMigrations().length + 1);
    await expect(migrate(db.url)).rejects.toMatchObject({
      code: "database_newer",
      message: expect.stringContaining("start that version or a later one. Nothing was changed."),
    });
    later.remove();
  });

  test.each([
    ["a table of ours without a record", "create table calls (id int)", 'it has a table "calls" but no record'],
    ["a changed migration", "update drizzle.__drizzle_migrations set hash = 'x'", "is not the one of this version"],
    ["a lost table", "drop table set_aside", 'its table "set_aside" is missing'],
    ["a lost record", "drop table drizzle.__drizzle_migrations", "no record of a migration"],
  ])("%s is refused and left as it is", async (_what, damage, says) => {
    if (!damage.startsWith("create")) await migrate(db.url);
    await db.sql.unsafe(damage);
    const before = await objects();
    await expect(migrate(db.url)).rejects.toMatchObject({
      code: "database_half_migrated",
      message: expect.stringContaining(says),
    });
    expect(await objects()).toEqual(before);
  });

  test("tables of somebody else are no obstacle", async () => {
    await db.sql.unsafe("create table invoices (id int); create schema other; create table other.calls (id int)");
    await migrate(db.url);
  });

  test("a user without the right to create is told what to grant", async () => {
    const user = `guest_${process.pid}_${major}`;
    const url = new URL(db.url);
    Object.assign(url, { username: user, password: "guest" });
    await db.sql.unsafe(`create role ${user} login password 'guest'`);
    try {
      await expect(migrate(url.href)).rejects.toMatchObject({
        code: "database_no_permission",
        message: expect.stringContaining(`grant create on database ${url.pathname.slice(1)} to ${user}`),
      });
      expect(await objects()).toHaveLength(0);
      await db.sql.unsafe(
        `grant create on database ${url.pathname.slice(1)} to ${user}; grant create on schema public to ${user}`,
      );
      await migrate(url.href);
    } finally {
      await db.sql.unsafe(`drop owned by ${user}; drop role ${user}`);
    }
  });

  test("a user who may only read and write starts on what was migrated, and is refused what was not", async () => {
    const user = `clerk_${process.pid}_${major}`;
    const url = Object.assign(new URL(db.url), { username: user, password: "clerk" });
    await db.sql.unsafe(`create role ${user} login password 'clerk'`);
    try {
      await migrate(db.url);
      await db.sql.unsafe(
        `grant usage on schema drizzle to ${user}; grant select on all tables in schema drizzle to ${user};
        grant select, insert, update, delete on all tables in schema public to ${user}`,
      );
      await migrate(url.href);
      // A week later partitions for the days to come are missing: somebody else makes them.
      const last = await db.sql<{ name: string }[]>`
        select inhrelid::regclass::text as name from pg_inherits where inhparent = 'payloads'::regclass order by 1 desc limit 7`;
      for (const { name } of last) await db.sql.unsafe(`drop table ${name}`);
      await migrate(url.href);
      const later = withMigration("9999_later", 'CREATE TABLE "later" (id int);');
      await expect(migrate(url.href, { folder: later.folder })).rejects.toMatchObject({
        code: "database_no_permission",
      });
      later.remove();
    } finally {
      await db.sql.unsafe(`drop owned by ${user}; drop role ${user}`);
    }
  });

  test("what runs on a schema of another version is told what to do", async () => {
    await expect(assertMigrated(db.sql)).rejects.toMatchObject({
      code: "database_not_migrated",
      message: expect.stringContaining(`(0 of ${readMigrations().length} migrations): run \`npm start\``),
    });
    await migrateTo(db.url, 4);
    await expect(assertMigrated(db.sql)).rejects.toMatchObject({ code: "database_not_migrated" });
    await migrate(db.url);
    await assertMigrated(db.sql);
    await db.sql.unsafe(
      "update drizzle.__drizzle_migrations set hash = 'x' where id = (select max(id) from drizzle.__drizzle_migrations)",
    );
    await expect(assertMigrated(db.sql)).rejects.toMatchObject({ code: "database_not_migrated" });
    await db.sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('y', ${Date.now()})`;
    await expect(assertMigrated(db.sql)).rejects.toMatchObject({ code: "database_newer" });
  });

  test.each([
    ["a wrong password", { password: "wrong" }, "database_wrong_password", "refuses the password of user"],
    ["an unknown user", { username: "nobody" }, "database_wrong_password", "nobody"],
    ["a missing database", { pathname: "/nowhere" }, "database_missing", "There is no database nowhere"],
    ["a port where nobody listens", { port: "1" }, "database_unreachable", "127.0.0.1:1 (ECONNREFUSED)"],
    [
      "a host that does not exist",
      { hostname: "no.such.host.invalid" },
      "database_unreachable",
      "no.such.host.invalid",
    ],
  ])("%s is said in one sentence", async (_what, change, code, says) => {
    const url = Object.assign(new URL(db.url), change);
    const failure = await migrate(url.href).catch((error) => error);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(says) });
    expect(failure.message).not.toContain(new URL(db.url).password);
    expect(failure.message).not.toContain("\n");
  });

  test("a read-only server is said to be one", async () => {
    const name = new URL(db.url).pathname.slice(1);
    await administer(db.url, (admin) => admin.unsafe(`alter database ${name} set default_transaction_read_only = on`));
    await expect(migrate(db.url)).rejects.toMatchObject({ code: "database_read_only" });
  });
});

test("servers before 15 are refused", () => {
  expect(() => assertVersion(140_012, "14.12")).toThrow("PostgreSQL 14.12; Omnimeter needs 15 or later");
  expect(() => assertVersion(150_000, "15.0")).not.toThrow();
});
