import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Migration {
  tag: string;
  /** Milliseconds; drizzle's record keeps it beside the hash. */
  madeAt: number;
  hash: string;
  statements: string[];
}

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
