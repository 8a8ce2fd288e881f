import { sql } from "drizzle-orm";
import { bigint, customType, timestamp } from "drizzle-orm/pg-core";

/** Columns that the tables share. Counts are numbers: tokens and bytes stay far below 2^53. */
export const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });
export const count = () => bigint({ mode: "number" });
export const instant = () => timestamp({ withTimezone: true, precision: 3, mode: "date" });

/** A list of values for a check: 'a', 'b'. */
export const listed = (names: readonly string[]) => sql.raw(names.map((name) => `'${name}'`).join(", "));
