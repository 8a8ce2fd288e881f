import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { distribute, distribution, PLACES } from "#db/citus.ts";
import { migrate } from "#db/migrate.ts";
import { CITUS_URL, type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

if (!CITUS_URL) console.log("skipped: the store's tests on Citus (CITUS_URL is not set)");

test("calls are spread first, what belongs to a call lies beside it, and what is derived stays", () => {
  const [mode, first, ...rest] = distribution();
  expect(mode).toBe("set local citus.multi_shard_modify_mode to 'sequential'");
  expect(first).toBe("select create_distributed_table('calls', 'id', colocate_with => 'none')");
  expect(rest).toContain("select create_distributed_table('usage_lines', 'call_id', colocate_with => 'calls')");
  expect(rest).toContain("select create_reference_table('closed_periods')");
  // Citus refuses tables with triggers.
  const lines = rest.findIndex((statement) => statement.includes("'usage_lines'"));
  expect(rest[lines - 1]).toBe("drop trigger if exists usage_lines_fit on usage_lines");
  expect(rest.join()).not.toContain("rollup");
  expect(distribution(new Set(Object.keys(PLACES)))).toEqual([]);
});

/** What of Citus is asked, without Citus: each call of its functions leaves a row. */
const STAND_IN = `
  set allow_system_table_mods = on;
  insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
  values (99999, 'citus', 10, 'public'::regnamespace, false, '0');
  create table pg_dist_partition (logicalrelid regclass, n serial);
  create function create_distributed_table(name text, by text, colocate_with text) returns void language sql as
    'insert into pg_dist_partition (logicalrelid) values (name::regclass)';
  create function create_reference_table(name text) returns void language sql as
    'insert into pg_dist_partition (logicalrelid) values (name::regclass)';`;

describe.skipIf(CITUS_URL)("on a database with a stand-in for the extension", () => {
  let db: TestDatabase;
  beforeEach(async () => {
    db = await testDatabase(18, { empty: true });
  });
  afterEach(() => db.drop());
  const spread = async () =>
    (await db.sql<{ name: string }[]>`select logicalrelid::text as name from pg_dist_partition order by n`).map(
      ({ name }) => name,
    );

  test("tables are spread when they are made, once", async () => {
    await db.sql.unsafe(STAND_IN);
    await migrate(db.url);
    const names = await spread();
    expect(names[0]).toBe("calls");
    expect(await db.sql`select 1 from pg_trigger where tgrelid = 'usage_lines'::regclass`).toHaveLength(0);
    expect(names.toSorted()).toEqual(
      Object.keys(PLACES)
        .filter((name) => PLACES[name]?.kind !== "local")
        .sort(),
    );
    await migrate(db.url);
    expect(await spread()).toEqual(names);
  });

  test("a table that a later version brings follows", async () => {
    await db.sql.unsafe(STAND_IN);
    await migrate(db.url);
    await db.sql`delete from pg_dist_partition where logicalrelid = 'booked_as'::regclass`;
    await distribute(db.sql);
    expect((await spread()).at(-1)).toBe("booked_as");
  });

  test("calls that are stored already are not moved under those who work", async () => {
    await migrate(db.url);
    await db.sql.unsafe(STAND_IN);
    await db.sql.unsafe(`
      insert into calls select c.* from json_populate_record(null::calls, '{
        "id": "${idNow()}", "project_id": "default", "environment": "production", "operation_id": "${idNow()}",
        "attempt": 0, "upstream": "default", "started_at": "${new Date().toISOString()}", "recorded_at": "now",
        "decoder_version": 1, "spool": "s", "run": "r", "seq": 1, "endpoint": "chat", "method": "POST", "path": "/", "streamed": false,
        "tags": {}, "outcome": "completed", "finish_reasons": [], "input_modalities": [], "output_modalities": [], "content_chunks": 0,
        "request_bytes": 0, "response_bytes": 0, "cut": false, "usage_source": "none", "tool_call_count": 0, "problems": []
      }') c`);
    await migrate(db.url);
    expect(await spread()).toEqual([]);
  });
});

describe.runIf(CITUS_URL)("on Citus", () => {
  test("the tables are where the list says", async () => {
    const db = await testDatabase();
    const rows = await db.sql<{ name: string; by: string | null }[]>`
      select logicalrelid::text as name, column_to_column_name(logicalrelid, partkey) as by
      from pg_dist_partition where logicalrelid::text = any(${Object.keys(PLACES)})`;
    for (const [name, place] of Object.entries(PLACES)) {
      const found = rows.find((row) => row.name === name);
      expect([name, found?.by], name).toEqual([name, place.kind === "distributed" ? place.by : found && null]);
      expect(found === undefined, name).toBe(place.kind === "local");
    }
    await db.drop();
  });
});

const idNow = () =>
  `${Date.now()
    .toString(16)
    .padStart(12, "0")
    .replace(/^(.{8})/, "$1-")}-7000-8000-000000000000`;
