import { expect, test } from "playwright/test";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

let dashboard: Dashboard;
const ID = "01a2b3c4-0000-7000-8000-000000000001";

test.beforeAll(async () => {
  dashboard = await startDashboard();
  await dashboard.openai.chat.completions.create({ model: "gpt-4o", messages: [{ role: "user", content: "Hello" }] });
  await dashboard.system.drained();
});
test.afterAll(() => dashboard?.stop());

/** Reads of a page that the database is at. */
const running = async (page: string) => {
  const { sql } = dashboard.database;
  const rows = await sql`
    select 1 from pg_stat_activity
    where datname = current_database() and state = 'active' and starts_with(application_name, ${`omnimeter: ${page}`})`;
  return rows.length;
};

/** Nobody can read lines of usage until the work is done. */
async function withoutLines(work: () => Promise<void>) {
  const holder = await dashboard.database.sql.reserve();
  await holder`begin`;
  await holder`lock table usage_lines in access exclusive mode`;
  try {
    await work();
  } finally {
    await holder`rollback`;
    holder.release();
  }
}

test("Health says that every call is accounted for, and has what was set aside tried again, without any script", async ({
  browser,
  page,
}) => {
  await page.goto(`${dashboard.url}/settings#health`);
  await expect(page.getByTestId("equation-verdict")).toHaveText("It adds up: every accepted call stands somewhere.");
  await expect(page.getByTestId("equation")).toContainText(
    "1 accepted = 1 stored + 0 set aside + 0 dropped + 0 in flight",
  );
  await expect(page.getByTestId("spools").locator("tbody tr")).toContainText("reads it");
  await expect(page.getByTestId("tables")).toContainText("usage_lines");
  await expect(page.getByTestId("unread")).toHaveCount(0);

  // Of a recorder that is elsewhere: the one here leaves it alone.
  await dashboard.database.sql`
    insert into set_aside (id, spool, run, seq, reason, sealed)
    values (${ID}, 'elsewhere', 'r', 1, 'invalid byte sequence', '\\x00')`;
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 800 } });
  const plain = await context.newPage();
  await plain.goto(`${dashboard.url}/settings`);
  await plain.getByRole("button", { name: `Try again to store ${ID}` }).click();
  await expect(plain).toHaveURL(/health=asked#health$/);
  await expect(plain.getByTestId("health-answer")).toContainText("It will be tried again");
  await expect(plain.getByTestId("set-aside")).toContainText("waits for its recorder");
  expect(await plain.locator("html").evaluate((root) => root.scrollWidth)).toBeLessThanOrEqual(390);
  await context.close();

  await page.reload();
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
});

test("figures that no rollup has are computed while the page stands, and can be cancelled", async ({ page }) => {
  await withoutLines(async () => {
    await page.goto(`${dashboard.url}/spend?f=status:completed`, { waitUntil: "commit" });
    const computing = page.getByTestId("computing");
    await expect(computing).toContainText("Computing from about 1 call: no rollup answers a filter by status.");
    await expect(page.getByRole("heading", { name: "Spend" })).toBeVisible();
    await expectAccessible(page, "light");
    const cancel = page.getByRole("button", { name: "Cancel" });
    await expect(cancel).toBeVisible();
    expect(await running("spend")).toBe(1);
    await cancel.click();
    await expect(page.getByTestId("part-failed")).toContainText("Cancelled");
    expect(await running("spend")).toBe(0);
    await expectAccessible(page, "dark");
  });
  await page.reload();
  await expect(page.getByTestId("exact-spend")).toBeVisible();
});

test("leaving a page ends what it computes", async ({ page }) => {
  await withoutLines(async () => {
    await page.goto(`${dashboard.url}/spend?f=status:completed`, { waitUntil: "commit" });
    await expect(page.getByTestId("computing")).toBeVisible();
    expect(await running("spend")).toBe(1);
    await page.goto("about:blank");
    await expect(async () => expect(await running("spend")).toBe(0)).toPass({ timeout: 5000 });
  });
});
