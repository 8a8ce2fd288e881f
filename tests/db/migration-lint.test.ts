import { expect, test } from "vitest";
import { readMigrations, tablesOf } from "#db/migrations.ts";
import { brokenByMigration, MIGRATION_RULES, type MigrationRule } from "#tests/support/migration-rules.ts";
import { statementsOf } from "#tests/support/sql-texts.ts";

/** Databases that are full have the earlier ones. */
const FIRST = "0004";

// Each is a decision, with how long it holds whom up.
const ALLOWED: { tag: string; rule: MigrationRule; statement: RegExp; why: string }[] = [
  {
    tag: "0004_operate",
    rule: "rows",
    statement: /^insert into "?rollups_due"?/i,
    why: "Reads rollup_calls before anything is locked: a second at ten million calls.",
  },
  {
    tag: "0004_operate",
    rule: "index",
    statement: /^create index "?feedback_(target|of_sessions)"?/i,
    why: "Feedback is one row to a hundred calls: seconds in which batches with feedback wait in the spool.",
  },
  {
    tag: "0004_operate",
    rule: "index",
    statement: /^create index "?rollup_calls_not_completed"?/i,
    why: "Fewer than 200,000 rows at ten million calls: a tenth of a second.",
  },
];

const findings = readMigrations()
  .filter(({ tag }) => tag >= FIRST)
  .flatMap((migration) => {
    const made = new Set(tablesOf([migration]));
    return migration.statements.flatMap(statementsOf).flatMap((text) => {
      const statement = text.trim();
      return brokenByMigration(statement, made).map((rule) => ({ tag: migration.tag, rule, statement }));
    });
  });

test("no migration stops a database that is at work, nor an older process beside it", () => {
  const wrong = findings.filter(
    ({ tag, rule, statement }) =>
      !ALLOWED.some((one) => one.tag === tag && one.rule === rule && one.statement.test(statement)),
  );
  expect(wrong.map((one) => `${one.tag}: ${MIGRATION_RULES[one.rule]}: ${one.statement}`)).toEqual([]);
});

test("every exception is still needed", () => {
  const needless = ALLOWED.filter(
    ({ tag, rule, statement }) =>
      !findings.some((one) => one.tag === tag && one.rule === rule && statement.test(one.statement)),
  );
  expect(needless).toEqual([]);
});

test.each<[string, MigrationRule[]]>([
  ['ALTER TABLE "calls" ALTER COLUMN "status" SET DATA TYPE integer', ["rewrite"]],
  ['ALTER TABLE "calls" ADD COLUMN "n" uuid DEFAULT gen_random_uuid()', ["rewrite"]],
  ['ALTER TABLE "calls" ADD COLUMN "n" bigserial', ["rewrite"]],
  ['ALTER TABLE "calls" ADD COLUMN "n" int GENERATED ALWAYS AS (status + 1) STORED', ["rewrite"]],
  ['ALTER TABLE "calls" ADD COLUMN "n" integer', []],
  ['ALTER TABLE "jobs" ADD COLUMN "n" timestamp DEFAULT now() NOT NULL', []],
  ['ALTER TABLE "jobs" ADD COLUMN "n" integer NOT NULL', ["not null"]],
  ['ALTER TABLE "calls" ADD COLUMN "n" integer DEFAULT 0 NOT NULL', ["not null"]],
  ['ALTER TABLE "calls" ALTER COLUMN "status" SET NOT NULL', ["scan"]],
  ['ALTER TABLE "calls" ADD CONSTRAINT "c" CHECK (status > 0)', ["scan"]],
  ['ALTER TABLE "calls" ADD CONSTRAINT "c" CHECK (status > 0) NOT VALID', []],
  ['CREATE INDEX "i" ON "payloads" USING btree ("call_id")', ["index"]],
  ['CREATE UNIQUE INDEX "i" ON "new" USING btree ("call_id")', []],
  ['CREATE TABLE "new" ("id" uuid PRIMARY KEY NOT NULL)', []],
  ['ALTER TABLE "new" ADD CONSTRAINT "c" CHECK (id is not null)', []],
  ['ALTER TABLE "calls" DROP COLUMN "cut"', ["contract"]],
  ['ALTER TABLE "calls" RENAME COLUMN "cut" TO "shortened"', ["contract"]],
  ["DROP VIEW feedback_current", ["contract"]],
  ["UPDATE calls SET cut = false", ["rows"]],
  ["INSERT INTO new SELECT id FROM calls", ["rows"]],
  ["INSERT INTO settings VALUES ('a', '1')", []],
])("%s: %j", (statement, rules) => {
  expect(brokenByMigration(statement, new Set(["new"]))).toEqual(rules);
});
