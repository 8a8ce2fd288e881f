import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sql } from "postgres";
import { migrate } from "#db/migrate.ts";

/** A folder of migrations that is this version's, but for what `change` makes of the list. */
function changedMigrations(change: (entries: { tag: string }[]) => { tag: string }[]) {
  const folder = mkdtempSync(join(tmpdir(), "omnimeter-migrations-"));
  cpSync("drizzle", folder, { recursive: true });
  const journal = join(folder, "meta", "_journal.json");
  const content = JSON.parse(readFileSync(journal, "utf8"));
  writeFileSync(journal, JSON.stringify({ ...content, entries: change(content.entries) }));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** This version's migrations and one more. */
export function withMigration(tag: string, text: string) {
  const changed = changedMigrations((entries) => [
    ...entries,
    { ...entries.at(-1), idx: entries.length, when: Date.now(), tag },
  ]);
  writeFileSync(join(changed.folder, `${tag}.sql`), text);
  return changed;
}

/** The first `count` migrations alone: what an earlier version knew. */
export async function migrateTo(url: string, count: number): Promise<void> {
  const { folder, remove } = changedMigrations((entries) => entries.slice(0, count));
  await migrate(url, { folder });
  remove();
}

/** Arguments of a Node process that migrates. */
export const migrating = (url: string): string[] => [
  "--input-type=module",
  "-e",
  `await (await import("#db/migrate.ts")).migrate(process.argv[1])`,
  url,
];

/** Everything that a refusal must leave as it was. */
export const objectsOf = (sql: Sql) => sql<{ name: string }[]>`
  select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname not like 'pg\_%' and n.nspname <> 'information_schema' order by 1`;

/** What stands in the database as applied. */
export const recordOf = (sql: Sql) => sql`select * from drizzle.__drizzle_migrations order by id`;
