import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Sql } from "postgres";
import { StoreError } from "./store-error.ts";

export interface Migration {
  tag: string;
  /** Milliseconds; drizzle's record keeps it beside the hash. */
  madeAt: number;
  hash: string;
  statements: string[];
}

export interface AppliedMigration {
  hash: string;
}

/** Where drizzle's own tools keep what was applied. */
export const RECORD = "drizzle.__drizzle_migrations";
const FOLDER = fileURLToPath(new URL("../drizzle", import.meta.url));

/**
 * The migrations that this version knows, in order, as drizzle-kit wrote them. Read without drizzle's own reader:
 * importing drizzle costs a process 200 MB and a third of a second.
 */
export function readMigrations(folder = FOLDER): Migration[] {
  const journal = JSON.parse(readFileSync(join(folder, "meta", "_journal.json"), "utf8")) as {
    entries: { tag: string; when: number }[];
  };
  return journal.entries.map(({ tag, when }) => {
    const text = readFileSync(join(folder, `${tag}.sql`), "utf8");
    return {
      tag,
      madeAt: when,
      hash: createHash("sha256").update(text).digest("hex"),
      statements: text.split("--> statement-breakpoint"),
    };
  });
}

/** Tables that are there once these migrations have been applied. */
export function tablesOf(migrations: readonly Migration[]): string[] {
  const tables = new Set<string>();
  for (const statement of migrations.flatMap((one) => one.statements)) {
    const [, verb, name] = /^\s*(create|drop) table (?:if (?:not )?exists )?"?(\w+)"?/im.exec(statement) ?? [];
    if (!verb || !name) continue;
    if (verb.toLowerCase() === "create") tables.add(name);
    else tables.delete(name);
  }
  return [...tables];
}

/** What the database's record says was applied, in order; nothing when it has none. */
export async function appliedMigrations(sql: Pick<Sql, "unsafe">): Promise<AppliedMigration[]> {
  const [record] = await sql.unsafe<{ found: boolean }[]>(`select to_regclass('${RECORD}') is not null as found`);
  if (!record?.found) return [];
  return [...(await sql.unsafe<AppliedMigration[]>(`select hash from ${RECORD} order by created_at, id`))];
}

export const databaseNewer = (applied: number, known: number): StoreError =>
  new StoreError(
    "database_newer",
    `The database was set up by a newer version of Omnimeter (${applied} migrations; this version knows ${known}): ` +
      "start that version or a later one. Nothing was changed.",
  );
