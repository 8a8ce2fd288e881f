import { afterAll, beforeAll, expect, test } from "vitest";
import { COLUMN_TYPES, insertColumns } from "#db/insert-columns.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.drop());

test.each(Object.entries(COLUMN_TYPES))("the types of %s are the database's", async (table, types) => {
  const rows = await db.sql<{ name: string; type: string }[]>`
    select attname as name, format_type(atttypid, null) as type from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped order by attnum`;
  const found = Object.fromEntries(
    rows.map(({ name, type }) => [name, type.replace("timestamp with time zone", "timestamptz")]),
  );
  expect(types).toEqual(found);
});

const NASTY = [
  `it's "quoted", {braced}, back\\slashed`,
  "null",
  "NULL",
  "",
  " spaces ",
  "new\nline\ttab",
  "zero\u0000byte",
  "half a pair \ud800",
  "emoji 🙂, عربى",
  "\\u0000 spelled out",
];

test("whatever a text holds comes back as it was, but for what Postgres cannot hold", async () => {
  const id = (i: number) => `019f0000-0000-7000-8000-00000000000${i}`;
  await db.sql`create table odd (like calls)`;
  const columns = await db.sql<{ name: string }[]>`
    select attname as name from pg_attribute where attrelid = 'odd'::regclass and attnum > 0 and attnotnull`;
  for (const { name } of columns) await db.sql.unsafe(`alter table odd alter ${name} drop not null`);
  const rows = NASTY.map((text, i) => ({
    id: id(i),
    feature: text,
    customer: i % 2 ? text : null,
    tags: { [text]: text },
    problems: [text, "", text],
    finish_reasons: [],
    status: i,
    cut: i % 2 === 0,
    started_at: new Date(i).toISOString(),
    duration_ms: i / 3,
  }));
  await db.sql.unsafe(insertColumns("calls", rows).replace("insert into calls", "insert into odd"));
  const kept = (text: string) => text.replaceAll("\u0000", "\ufffd").toWellFormed();
  const found = await db.sql`
    select id, feature, customer, tags, problems, finish_reasons, status, cut, started_at, duration_ms, model from odd order by id`;
  expect([...found]).toEqual(
    rows.map((row, i) => ({
      ...row,
      feature: kept(row.feature),
      customer: row.customer === null ? null : kept(row.customer),
      tags: { [kept(NASTY[i] as string)]: kept(NASTY[i] as string) },
      problems: row.problems.map(kept),
      started_at: new Date(i),
      model: null,
    })),
  );
});

test("numbers are written as Postgres reads them, and what is no number is unknown", async () => {
  await db.sql`create table odd_numbers (like calls)`;
  const columns = await db.sql<{ name: string }[]>`
    select attname as name from pg_attribute where attrelid = 'odd_numbers'::regclass and attnum > 0 and attnotnull`;
  for (const { name } of columns) await db.sql.unsafe(`alter table odd_numbers alter ${name} drop not null`);
  const numbers = [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-7, 1e21, 0.1];
  const rows = numbers.map((ms, i) => ({ seq: i, duration_ms: ms, input_tokens: i === 5 ? 2 ** 53 : Number.NaN }));
  await db.sql.unsafe(insertColumns("calls", rows).replace("insert into calls", "insert into odd_numbers"));
  const found = await db.sql`select duration_ms as ms, input_tokens::text as n from odd_numbers order by seq`;
  expect(found.map(({ ms }) => ms)).toEqual([null, null, 0, 1e-7, 1e21, 0.1]);
  expect(found.map(({ n }) => n)).toEqual([null, null, null, null, null, "9007199254740992"]);
});
