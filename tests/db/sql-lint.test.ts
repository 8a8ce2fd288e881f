import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PLACES } from "#db/citus.ts";
import { keysIn, newestSnapshot } from "#tests/support/schema-keys.ts";
import { brokenBy, RULES, type Rule } from "#tests/support/sql-rules.ts";
import { sqlTextsOf, statementsOf } from "#tests/support/sql-texts.ts";

// What Citus cannot do stays out of the store's SQL, or is here: a new line is a decision, and says what happens there.
const ALLOWED: { rule: Rule; files: string[]; why: string }[] = [
  {
    rule: "advisory lock",
    files: ["db/migrate.ts", "db/rate-calls.ts"],
    why: "Recorders and whoever migrates connect to the coordinator: it is one lock for all of them.",
  },
  {
    rule: "table lock",
    files: [
      "db/close-month.ts",
      "db/fold-days.ts",
      "db/plan-calls.ts",
      "db/rebuild-rollups.ts",
      "db/rerate.ts",
      "db/retention.ts",
    ],
    why: "closed_periods has a copy on every node; the lock goes to each of them, in the nodes' order, for as long as the batch takes.",
  },
  {
    rule: "joined with local",
    files: [
      "db/close-month.ts",
      "db/decoded-again.ts",
      "db/fold-attributed.ts",
      "db/fold-ratings.ts",
      "db/match-feedback.ts",
      "db/rate-calls.ts",
      "db/record-changes.ts",
      "db/record-feedback.ts",
      "db/retention.ts",
      "db/rollup-calls.ts",
      "db/rollup-latency.ts",
    ],
    why: "The calls are found by their ids, or by a day of ids, and what was found goes to the coordinator, where the rest is done.",
  },
  {
    rule: "subquery elsewhere",
    files: [
      "db/booked-as.ts",
      "db/match-feedback.ts",
      "db/retention.ts",
      "db/rollup-spend.ts",
      "db/queries/call-page.ts",
      "db/queries/calls-page.ts",
      "db/queries/related-calls.ts",
      "db/queries/session-list.ts",
    ],
    why: "It depends on nothing outside of itself: it is run first, on all shards at once, and gives a row or a page of rows.",
  },
  {
    rule: "recursion",
    files: ["db/match-feedback.ts"],
    why: "It goes through provider_objects, on the coordinator; the calls are asked for behind it, by their ids.",
  },
  {
    rule: "writing cte",
    files: ["db/rate-calls.ts"],
    why: "It writes ratings, on the coordinator, from calls that were read before.",
  },
  {
    rule: "cross-shard write",
    files: ["db/retention.ts"],
    why: "Once, when days are dropped: every shard deletes its own part.",
  },
  {
    rule: "lateral elsewhere",
    files: ["db/rate-calls.ts", "db/retention.ts"],
    why: "Refused by Citus: there, what is said about a session finds no call, and facts are not dropped (docs/operations.md).",
  },
];

const files = readdirSync("db", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join("db", name));

/** Each finding as `file rule`, with where it is. */
const findings = files.flatMap((file) =>
  sqlTextsOf(readFileSync(file, "utf8")).flatMap(({ line, text }) =>
    brokenBy(text).map((rule) => ({ file, rule, place: `${file}:${line} ${rule}: ${RULES[rule]}` })),
  ),
);
const isAllowed = (file: string, rule: Rule) => ALLOWED.some((one) => one.rule === rule && one.files.includes(file));

test("no SQL of the store does what Citus cannot, but for what is listed here", () => {
  expect(findings.filter(({ file, rule }) => !isAllowed(file, rule)).map(({ place }) => place)).toEqual([]);
});

test("every exception is still needed", () => {
  const needless = ALLOWED.flatMap(({ rule, files: named }) =>
    named
      .filter((file) => !findings.some((one) => one.file === file && one.rule === rule))
      .map((file) => `${file} ${rule}`),
  );
  expect(needless).toEqual([]);
});

test("the store's SQL was found", () => {
  const texts = files.flatMap((file) => sqlTextsOf(readFileSync(file, "utf8")));
  expect(texts.length).toBeGreaterThan(150);
  expect(texts.some(({ text }) => /insert into calls|json_populate_recordset/.test(text))).toBe(true);
});

test("every table has its place", () => {
  expect(Object.keys(PLACES).sort()).toEqual(
    newestSnapshot()
      .tables.map(({ name }) => name)
      .sort(),
  );
});

test("every unique key of a distributed table contains its distribution column, and no foreign key leaves its shard", () => {
  expect(newestSnapshot().tables.flatMap((table) => keysIn(table, PLACES))).toEqual([]);
});

test.each([
  ["a primary key without the column", { primaryKeys: [["index"]] }, "tool_calls: the key (index) is without call_id"],
  ["a unique index without it", { uniqueIndexes: [["name"]] }, "tool_calls: the key (name) is without call_id"],
  ["a foreign key to the coordinator", { foreignKeys: ["jobs"] }, "tool_calls: a foreign key to jobs"],
])("%s is found", (_what, keys, says) => {
  const table = {
    name: "tool_calls",
    primaryKeys: [["call_id", "index"]],
    uniqueIndexes: [],
    foreignKeys: [],
    ...keys,
  };
  expect(keysIn(table, PLACES)).toEqual([says]);
});

test.each<[string, Rule[]]>([
  ["update calls set outcome = 'failed' where feature = 'x'", ["cross-shard write"]],
  ["delete from usage_lines l where booked_on < '2026-01-01'", ["cross-shard write"]],
  ["delete from usage_lines l where call_id = any($1)", []],
  ["update calls set id = $1 where id = $2", ["moved row"]],
  ["insert into tool_calls (a) values (1) on conflict (name) do nothing", ["conflict key"]],
  ["insert into tool_calls (a) values (1) on conflict (call_id, index) do nothing", []],
  ["insert into calls select * from x on conflict do nothing returning id", ["affected rows"]],
  ["with gone as (delete from payloads where call_id = $1 returning 1) select count(*) from gone", ["writing cte"]],
  ["select id from calls where id = $1 for update", ["row lock"]],
  ["lock table usage_lines, payloads in share mode", ["table lock"]],
  ["lock table folded_days in share mode", []],
  ["select pg_advisory_lock(1)", ["advisory lock", "session"]],
  ["select pg_advisory_xact_lock(1)", ["advisory lock"]],
  ["select count(*) from calls c join feedback f on f.call_id = c.id", ["joined with local"]],
  ["select count(*) from calls c join feedback_current f on f.call_id = c.id", ["joined with local"]],
  ["select c.id from calls c join usage_lines l on l.call_id = c.id join closed_periods p using (project_id)", []],
  ["select (select count(*) from calls s where s.session = c.session) from calls c", ["subquery elsewhere"]],
  ["select (select count(*) from usage_lines l where l.call_id = c.id) from calls c", []],
  ["select 1 from x cross join lateral (select id from calls where feature = x.f limit 1) y", ["lateral elsewhere"]],
  ["select feature, sum(1) from calls group by grouping sets ((feature), ())", ["grouping sets"]],
  ["with recursive chain as (select id from calls) select * from chain", ["recursion"]],
  ["listen changes", ["session"]],
  ["create temp table t (id int)", ["session"]],
  ["create temporary table t (id int) on commit drop", []],
  ["set statement_timeout = 1000", ["session"]],
  ["set local statement_timeout = 1000", []],
  ["select sum(calls) from rollup_calls where bucket > now() for update", []],
])("%s: %j", (statement, rules) => {
  expect(brokenBy(statementsOf(statement)[0] as string)).toEqual(rules);
});

test("SQL is found in every kind of literal, and values, comments and code are not taken for it", () => {
  const source = [
    "// `delete from calls`",
    "const a = /'`/; const b = 'delete from calls';",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a source as it stands in a file.
    "const c = sql`select 1 from calls where x = ${y ? sql`and id in (select id from jobs)` : `}`} -- update calls set",
    "  and y = 'delete from payloads'; lock table jobs in share mode`;",
  ].join("\n");
  expect(sqlTextsOf(source).map(({ line, text }) => [line, text.replace(/\s+/g, " ").trim()])).toEqual([
    [2, "delete from calls"],
    [3, "and id in (select id from jobs)"],
    [3, "select 1 from calls where x = $0 and y = '…'"],
    [3, "lock table jobs in share mode"],
  ]);
});
