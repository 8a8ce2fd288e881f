import { expect, test } from "playwright/test";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

let dashboard: Dashboard;
test.beforeAll(async () => {
  dashboard = await startDashboard();
});
test.afterAll(() => dashboard?.stop());

const ask = (model: string) =>
  dashboard.openai.chat.completions.create({ model, messages: [{ role: "user", content: "Say hello." }] });
/** As if 30 seconds had passed: the recorder finds all rules due when it looks next. */
const makeDue = () => dashboard.database.sql`update alert_rules set checked_at = null`;

test("a rule made by keyboard opens an alert, which Home shows by itself and which leads to its calls", async ({
  page,
}) => {
  await ask("gpt-4o");
  await dashboard.system.drained();
  await page.goto(`${dashboard.url}/settings`);
  await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link").last()).toHaveText("Settings");
  await expect(page.getByTestId("no-rules")).toBeVisible();
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");

  await page.getByLabel("Tell me when").focus();
  await page.keyboard.type("Unpriced");
  await page.keyboard.press("Tab");
  await page.keyboard.type("many");
  await page.keyboard.press("Enter");
  const threshold = page.getByLabel("is above");
  await expect(threshold).toHaveAttribute("aria-invalid", "true");
  await expect(threshold).toHaveAccessibleDescription(/not a number with its unit/);
  await expect(threshold).toHaveValue("many");
  await expect(page.getByLabel("Tell me when")).toHaveValue("unpriced_calls");
  await expectAccessible(page, "light");

  await threshold.fill("0 calls");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("done")).toHaveText(/The rule is added/);
  const rule = page.getByTestId("rule");
  await expect(rule).toContainText("Unpriced calls");
  await expect(async () => {
    await page.reload();
    await expect(rule.getByTestId("rule-state")).toHaveText("ok", { timeout: 100 });
  }).toPass({ timeout: 20_000 });

  await page.goto(dashboard.url);
  const item = page.getByTestId("attention").getByRole("listitem").filter({ hasText: "above your 0" });
  await expect(page.getByTestId("attention")).toBeVisible();
  await expect(item).toHaveCount(0);
  await ask("gpt-9-unheard-of");
  await dashboard.system.drained();
  await makeDue();
  await expect(item).toContainText(/Unpriced calls are 1 in 1 h, above your 0 since \d\d:\d\d UTC\./, {
    timeout: 20_000,
  });
  await expect(item).toContainText("Urgent");
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
  await item.getByRole("link").click();
  await expect(page).toHaveURL(/\/calls\?r=6h&f=cost:unpriced/);
  await expect(page.getByTestId("table-calls").locator("tbody tr")).toHaveCount(1);
  await expect(page.getByTestId("table-calls")).toContainText("gpt-9-unheard-of");
});

test("an open alert stands in the history, and ends with its rule", async ({ page }) => {
  await page.goto(`${dashboard.url}/settings`);
  const rule = page.getByTestId("rule");
  await expect(rule.getByTestId("rule-state")).toContainText("above since");
  await expect(page.getByTestId("history").locator("tbody tr")).toHaveText(/Unpriced calls.*still open/);
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");

  // Two steps, by keyboard.
  await rule.getByText("Delete…").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(rule.getByRole("button", { name: "Really delete" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("no-rules")).toBeVisible();
  await expect(page.getByTestId("history").locator("tbody tr")).toHaveCount(1);
  await expect(page.getByTestId("history")).not.toContainText("still open");
});

test("without any script rules are added, changed, switched off and deleted, on a phone too", async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 800 } });
  const page = await context.newPage();
  await page.goto(`${dashboard.url}/settings?tz=Asia/Tokyo`);
  await page.getByLabel("Tell me when").selectOption("p95 time to first token");
  await page.getByLabel("is above").fill("2 s");
  await page.getByLabel("feature").fill("support-chat");
  await page.getByRole("button", { name: "Add rule" }).click();
  await expect(page).toHaveURL(/tz=Asia%2FTokyo&done=added/);
  const rule = page.getByTestId("rule");
  await expect(rule).toContainText("p95 time to first token of support-chat");
  await expect(rule).toContainText("above 2 s over 1 h");

  await rule.getByText("Change…").click();
  await page.getByLabel("Threshold").fill("-1 s");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByTestId("problems")).toHaveText("A threshold is 0 or more.");
  await expect(page.getByLabel("Threshold")).toHaveValue("-1 s");
  await page.getByLabel("Threshold").fill("850 ms");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(rule).toContainText("above 850 ms over 1 h");
  await page.getByRole("button", { name: "Switch off" }).click();
  await expect(rule.getByTestId("rule-state")).toHaveText("off");
  await rule.getByText("Delete…").click();
  await page.getByRole("button", { name: "Really delete" }).click();
  await expect(page.getByTestId("no-rules")).toBeVisible();
  expect(await page.locator("html").evaluate((root) => root.scrollWidth)).toBeLessThanOrEqual(390);
  await context.close();
});
