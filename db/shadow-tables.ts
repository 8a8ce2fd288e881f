import type { Sql } from "postgres";

/** Where the store's tables are, as it stands before a table's name. */
export async function schemaOf(sql: Sql): Promise<string> {
  const [place] = await sql<{ schema: string }[]>`select quote_ident(current_schema()) as schema`;
  return place?.schema ?? "public";
}

/**
 * SQL, several statements, that puts an empty temporary table in front of each of these for the rest of the transaction: the very
 * statements that fill a table fill its shadow instead. The table itself is then reached by its schema only.
 */
export const shadow = (schema: string, tables: readonly string[]): string =>
  tables
    .map((name) => `create temporary table ${name} (like ${schema}.${name} including all) on commit drop`)
    .join(";\n");
