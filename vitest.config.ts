import { defineConfig } from "vitest/config";

/** Tests of the store, of the proxy's wire, and with several real processes; the rest are units. */
const STORE = ["tests/db/**", "tests/recorder/**"];
const WIRE = ["tests/wire/**"];
const PROCESSES = ["tests/start/**", "tests/process/**", "tests/clients/**"];
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
          globalSetup,
          pool: "forks",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
