/** What a migration may not do to a database that is full and at work, with older processes beside it. */
export const MIGRATION_RULES = {
  rewrite: "writes the whole table anew while nobody may read it",
  scan: "reads the whole table while nobody may write it: add it `not valid`",
  index: "reads the whole table while nobody may write it: indexes are made online (db/online-indexes.ts)",
  "not null": "an older recorder writes rows without it",
  contract: "an older process still uses it: it goes a version later, when nothing asks for it any more",
  rows: "goes through many rows in the transaction that holds everybody up",
} as const;
export type MigrationRule = keyof typeof MIGRATION_RULES;

/** A default that is another for each row. */
const VOLATILE =
  /\bdefault (?:\(?(?:gen_random_uuid|random|clock_timestamp|nextval|uuid_\w+|timeofday)\b)|\bgenerated always as\b(?!.*identity)|\b(?:small|big)?serial\b/;

/** Rows of these come as `select *` from a record of columns, also from an older recorder: what it does not know is null. */
const WRITTEN_WHOLE = new Set(["calls", "usage_lines", "tool_calls", "feedback", "provider_objects", "prices"]);

/** The rules that a migration's statement breaks; `made` are the tables that the same migration creates. */
export function brokenByMigration(statement: string, made: ReadonlySet<string>): MigrationRule[] {
  const text = statement.toLowerCase().replaceAll('"', "").replace(/\s+/g, " ").trim();
  const table = /^(?:alter table(?: if exists)?(?: only)?|update|delete from|insert into) (\w+)/.exec(text)?.[1] ?? "";
  const indexed = /^create (?:unique )?index (?!concurrently).*? on (?:only )?(\w+)/.exec(text)?.[1];
  if (made.has(table) || (indexed && made.has(indexed))) return readsRows(text) ? ["rows"] : [];
  const broken: [MigrationRule, boolean][] = [
    ["rewrite", /\balter column \w+ (set data )?type\b|\bset (un)?logged\b|^(cluster|vacuum full)\b/.test(text)],
    ["rewrite", /\badd column\b/.test(text) && VOLATILE.test(text)],
    ["scan", /\badd constraint\b/.test(text) && !/\bnot valid$/.test(text)],
    ["scan", /\balter column \w+ set not null\b/.test(text)],
    ["index", indexed !== undefined || /^reindex\b/.test(text)],
    ["not null", /\badd column\b.*\bnot null\b/.test(text) && (!/\bdefault\b/.test(text) || WRITTEN_WHOLE.has(table))],
    ["contract", /^drop (table|view|function|type)\b|\bdrop column\b|\brename\b|\bdrop default\b/.test(text)],
    ["rows", /^(update|delete from|truncate|lock table)\b/.test(text) || readsRows(text)],
  ];
  return [...new Set(broken.filter(([, isBroken]) => isBroken).map(([rule]) => rule))];
}

const readsRows = (text: string): boolean => /^insert into\b.*\bselect\b.*\bfrom\b/.test(text);
