import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright";
import { open } from "#db/connect.ts";
import { recordPrices } from "#db/record-prices.ts";
import { SEED_CONNECTIONS, seedCalls } from "#db/seed/seed-calls.ts";
import { callsOfCompany, companyName } from "#lib/demo/company.ts";
import { withContents } from "#lib/demo/contents.ts";
import { plantAlerts } from "#lib/demo/plant-alerts.ts";
import { ensureKey } from "#lib/keys.ts";
import { PRICES } from "#lib/pricing/price-book.ts";
import { contentKeyFile } from "#lib/spool/spool-dir.ts";
import { buildDashboard } from "#lib/supervisor/build-dashboard.ts";
import { findBrowser } from "#tests/support/browser.ts";
import { startClusters } from "#tests/support/clusters.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { run } from "#tests/support/process.ts";

// `npm run screenshots -- [folder]`: every page, empty and full, in both themes, wide and narrow.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CALLS = 30_000;
const DAYS = 60;
const PAGES = {
  home: "/",
  spend: "/spend",
  templates: "/templates",
  latency: "/latency?r=7d",
  quality: "/quality",
  calls: "/calls?r=7d",
  "calls-of-one": "/calls?r=90d&f=customer:Halcyon%20Bank",
  sessions: "/sessions?r=30d",
  settings: "/settings",
  prices: "/settings/prices",
};
const WIDTHS = [1440, 390] as const;
const SCHEMES = ["light", "dark"] as const;

const folder = resolve(process.argv[2] ?? join(ROOT, "tests", ".report", "screenshots"));
mkdirSync(folder, { recursive: true });
await buildDashboard({ root: ROOT });
const stopClusters = await startClusters();
const { launchOptions } = await findBrowser();
const browser = await chromium.launch(launchOptions);
try {
  await withDashboard("empty", async () => {});
  await withDashboard("full", fill);
} finally {
  await browser.close();
  await stopClusters();
}

async function withDashboard(state: "empty" | "full", prepare: (db: TestDatabase, dataDir: string) => Promise<void>) {
  const database = await testDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), "omnimeter-screenshots-"));
  await prepare(database, dataDir);
  const dashboard = await run("lib/dashboard.ts", {
    DATABASE_URL: database.url,
    OMNIMETER_DATA_DIR: dataDir,
    OMNIMETER_DASHBOARD_PORT: "0",
    OMNIMETER_DEMO: "on",
  });
  try {
    const url = `http://127.0.0.1:${dashboard.port}`;
    const pages: Record<string, string> = { ...PAGES };
    const [call] = await database.sql`
      select id from calls where id in (select call_id from payloads) and outcome = 'completed' and tool_call_count > 0 order by output_tokens desc nulls last limit 1`;
    if (call) pages.call = `/calls/${call.id}`;
    for (const [name, path] of Object.entries(pages)) await shoot(browser, `${url}${path}`, `${name}-${state}`);
  } finally {
    await dashboard.stop();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function fill({ url, sql }: TestDatabase, dataDir: string) {
  const company = { seed: 1, untilMs: Date.now(), days: DAYS, calls: CALLS };
  const contentKey = ensureKey(contentKeyFile(dataDir));
  const pool = open(url, SEED_CONNECTIONS);
  await seedCalls(
    pool,
    companyName(company),
    withContents(callsOfCompany(company), { calls: CALLS, contentKey, knownInstructions: new Set() }),
  );
  await recordPrices(pool, PRICES);
  await plantAlerts(pool, company.untilMs);
  await pool.end();
  await sql`
    insert into spool_positions (spool, low_segment, low_offset, high_segment, high_offset, run, totals)
    values ('screenshots', 0, 0, 0, 0, '', '{}')`;
}

async function shoot(browser: Browser, url: string, name: string) {
  for (const colorScheme of SCHEMES)
    for (const width of WIDTHS) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 }, timezoneId: "UTC" });
      await page.goto(url);
      await page.waitForLoadState("networkidle");
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
      await page.close();
      console.log(`${name}-${colorScheme}-${width}.png`);
    }
}
