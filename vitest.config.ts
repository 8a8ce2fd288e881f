import { defineConfig } from "vitest/config";

/** Tests of the store, of the proxy's wire, and with several real processes; the rest are units. */
const STORE = ["tests/db/**", "tests/recorder/**"];
const WIRE = ["tests/wire/**"];
const PROCESSES = ["tests/start/**", "tests/process/**", "tests/clients/**"];
/** Whole files that would take `npm test` beyond its five minutes: they run in `npm run test:long -- --only versions`. */
const LONG =
  process.env.OMNIMETER_TEST_MAJORS === "all"
    ? []
    : [
        "tests/db/embedded.test.ts",
        "tests/db/health-sick.test.ts",
        "tests/db/migrate-busy.test.ts",
        "tests/db/online-indexes.test.ts",
        "tests/db/pgbouncer.test.ts",
        "tests/db/rate-calls.test.ts",
        "tests/db/rerate-booked.test.ts",
        "tests/db/seed.test.ts",
        "tests/process/backlog.test.ts",
        "tests/process/database-away.test.ts",
        "tests/process/other-endpoints.test.ts",
        "tests/process/poison.test.ts",
        "tests/process/schema.test.ts",
        "tests/process/two-recorders.test.ts",
        "tests/start/failures.test.ts",
      ];
const files = (folders: string[]) => folders.map((folder) => folder.replace("/**", "/**/*.test.{ts,tsx}"));
const globalSetup = ["tests/support/global-setup.ts"];

export default defineConfig({
  test: {
    reporters: process.env.OMNIMETER_TEST_REPORT
      ? ["default", ["json", { outputFile: process.env.OMNIMETER_TEST_REPORT }]]
      : ["default"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["tests/**/*.test.{ts,tsx}"],
          exclude: [...PROCESSES, ...WIRE, ...STORE, "tests/e2e/**", "tests/long/**", "tests/bench/**"],
          pool: "threads",
          // Units share nothing that changes, and one module graph makes them six times as fast.
          isolate: false,
        },
      },
      {
        test: {
          name: "store",
          include: files(STORE),
          exclude: LONG,
          globalSetup,
          pool: "forks",
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: { name: "wire", include: files(WIRE), pool: "forks", testTimeout: 30_000, hookTimeout: 30_000 },
      },
      {
        test: {
          name: "processes",
          include: files(PROCESSES),
          exclude: LONG,
          globalSetup,
          pool: "forks",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
