import { defineConfig } from "playwright/test";
import { findBrowser } from "./support/browser.ts";

const { launchOptions } = await findBrowser();

export default defineConfig({
  testDir: "e2e",
  outputDir: ".report/e2e",
  reporter: [["line"], ["json", { outputFile: ".report/e2e.json" }]],
  // Two cores, and every test brings processes of its own.
  workers: 1,
  timeout: 60_000,
  forbidOnly: true,
  use: { launchOptions, locale: "en-US", timezoneId: "UTC", trace: "off" },
});
