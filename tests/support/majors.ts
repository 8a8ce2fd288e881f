import type { Major } from "#db/embedded/binaries.ts";

/** Postgres versions for the heavier tests of the store: the newest in `npm test`, all in `npm run test:long -- --only versions`. */
export const MAJORS: readonly Major[] = process.env.OMNIMETER_TEST_MAJORS === "all" ? [18, 15] : [18];

/** Tests that would take `npm test` beyond its five minutes run there too, and say here that they were skipped. */
export const IS_LONG = MAJORS.length > 1;
