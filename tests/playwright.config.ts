import { defineConfig } from "playwright/test";
import { findBrowser } from "./support/browser.ts";

const { launchOptions } = await findBrowser();

export default defineConfig({
  testDir: "e2e",
  outputDir: ".report/e2e",
  reporter: [["line"], ["json", { outputFile: ".report/e2e.json" }]],
  // Files bring processes of their own and mostly wait: for traffic, and for pages.
  workers: 2,
  timeout: 60_000,
  forbidOnly: true,
  use: { launchOptions, locale: "en-US", timezoneId: "UTC", trace: "off" },
});
