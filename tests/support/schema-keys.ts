import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PLACES } from "#db/citus.ts";

export interface TableKeys {
  name: string;
  /** Columns of each. */
  primaryKeys: string[][];
  uniqueIndexes: string[][];
  /** Tables that are pointed at. */
  foreignKeys: string[];
}

interface SnapshotTable {
  name: string;
  columns: Record<string, { name: string; primaryKey: boolean }>;
  compositePrimaryKeys: Record<string, { columns: string[] }>;
  uniqueConstraints: Record<string, { columns: string[] }>;
  indexes: Record<string, { isUnique: boolean; columns: { expression: string }[] }>;
  foreignKeys: Record<string, { tableTo: string }>;
}

const FOLDER = "drizzle/meta";

/** The schema after all migrations, as drizzle-kit wrote it down. */
export function newestSnapshot(): { tables: TableKeys[] } {
  const name = readdirSync(FOLDER)
    .filter((one) => one.endsWith("_snapshot.json"))
    .sort()
    .at(-1) as string;
  const { tables } = JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as { tables: Record<string, SnapshotTable> };
  return { tables: Object.values(tables).map(keysOf) };
}

function keysOf(table: SnapshotTable): TableKeys {
  const columns = Object.values(table.columns).filter(({ primaryKey }) => primaryKey);
  return {
    name: table.name,
    primaryKeys: [
      ...(columns.length ? [columns.map(({ name }) => name)] : []),
      ...Object.values(table.compositePrimaryKeys).map((key) => key.columns),
    ],
    uniqueIndexes: [
      ...Object.values(table.uniqueConstraints).map((key) => key.columns),
      ...Object.values(table.indexes)
        .filter(({ isUnique }) => isUnique)
        .map((index) => index.columns.map(({ expression }) => expression)),
    ],
    foreignKeys: Object.values(table.foreignKeys).map(({ tableTo }) => tableTo),
  };
}

/** What of a table's keys cannot be kept once it is distributed. */
export function keysIn({ name, primaryKeys, uniqueIndexes, foreignKeys }: TableKeys, places: typeof PLACES): string[] {
  const place = places[name];
  const kindOf = (table: string) => places[table]?.kind;
  if (place?.kind !== "distributed")
    return foreignKeys.filter((to) => kindOf(to) === "distributed").map((to) => `${name}: a foreign key to ${to}`);
  return [
    ...[...primaryKeys, ...uniqueIndexes]
      .filter((key) => !key.includes(place.by))
      .map((key) => `${name}: the key (${key.join(", ")}) is without ${place.by}`),
    ...foreignKeys.filter((to) => kindOf(to) === "local").map((to) => `${name}: a foreign key to ${to}`),
  ];
}
