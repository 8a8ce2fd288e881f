import { randomBytes } from "node:crypto";
import postgres, { type Sql } from "postgres";
import { open } from "#db/connect.ts";
import type { Major } from "#db/embedded/binaries.ts";
import { migrate } from "#db/migrate.ts";

export interface TestDatabase {
  url: string;
  sql: Sql;
  drop(): Promise<void>;
}

/** The database with all migrations that every test database is a copy of. */
export const TEMPLATE = "omnimeter_template";

/** Where tests/support/clusters.ts says which servers it has started. */
export const clusterVariable = (major: Major) => `OMNIMETER_TEST_POSTGRES_${major}`;

/** A Citus coordinator whose user may create databases: what asks for the newest server gets that one instead. */
export const CITUS_URL = process.env.CITUS_URL;

/** A migrated database of one's own on the shared test server; about 40 ms. */
export async function testDatabase(major: Major = 18, { empty = false } = {}): Promise<TestDatabase> {
  if (CITUS_URL && major === 18) return citusDatabase(CITUS_URL, empty);
  const server = process.env[clusterVariable(major)];
  if (!server) throw new Error(`No test server: run through vitest or npm test (${clusterVariable(major)} is unset)`);
  const name = `test_${process.pid}_${randomBytes(4).toString("hex")}`;
  const template = empty ? "template1" : TEMPLATE;
  // Copying files is ten times as fast as logging each page, when nothing is flushed.
  const create = `create database ${name} template ${template} strategy file_copy`;
  await administer(server, (admin) => admin.unsafe(create));
  return opened(server, name);
}

/** Without a template: a copy of one would be a copy of its shards' names. */
async function citusDatabase(server: string, empty: boolean): Promise<TestDatabase> {
  const name = `test_${process.pid}_${randomBytes(4).toString("hex")}`;
  await administer(server, (admin) => admin.unsafe(`create database ${name}`));
  const db = opened(server, name);
  await db.sql.unsafe("create extension citus");
  if (!empty) await migrate(db.url);
  return db;
}

function opened(server: string, name: string): TestDatabase {
  const url = new URL(server);
  url.pathname = `/${name}`;
  const sql = open(url.href, 5);
  return {
    url: url.href,
    sql,
    async drop() {
      await sql.end({ timeout: 1 });
      await administer(server, (admin) => admin.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}

export async function administer(server: string, work: (admin: Sql) => PromiseLike<unknown>): Promise<void> {
  const admin = postgres(server, { max: 1, onnotice() {} });
  try {
    await work(admin);
  } finally {
    await admin.end({ timeout: 1 });
  }
}
