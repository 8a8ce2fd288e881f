import { expect, test } from "playwright/test";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

let dashboard: Dashboard;
test.beforeAll(async () => {
  dashboard = await startDashboard();
});
test.afterAll(() => dashboard?.stop());

const ask = (model: string, headers: Record<string, string>, system = "You answer briefly.") =>
  dashboard.openai.chat.completions.create(
    {
      model,
      messages: [
        { role: "system", content: system },
        { role: "user", content: "Say hello." },
      ],
    },
    { headers },
  );

test("a newcomer's start page says how to begin, and fills by itself with the first call", async ({ page }) => {
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(dashboard.url);
  await expect(page.getByText("Waiting for your first call")).toBeVisible();
  await expect(page.getByText(`${dashboard.system.proxyUrl}/v1`).first()).toBeVisible();
  await expect(page.getByTestId("tiles")).toHaveCount(0);
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");

  await ask("gpt-4o", { "x-omnimeter-feature": "greeting" });
  const row = page.getByTestId("table-live").getByRole("row").filter({ hasText: "greeting" });
  await expect(row).toBeVisible({ timeout: 5000 });
  await expect(row).toContainText("Completed");
  await expect(row).toContainText("gpt-4o-2024-08-06");
  await expect(page.getByTestId("live-status")).toHaveText("Your first call has been recorded.");
  await expect(page.getByTestId("tile-calls")).toContainText("1");
  // One call makes no percentile, and no rating no rate: both say so instead of showing a figure.
  await expect(page.getByTestId("tile-slowest")).toContainText("n = 1");
  await expect(page.getByTestId("tile-thumbs")).toContainText("nobody has rated");

  // What the store holds, priced by hand: 2.50 per million in, 10 per million out.
  const [stored] = await dashboard.database.sql`select input_tokens, output_tokens from calls`;
  const picodollars = BigInt(stored?.input_tokens) * 2_500_000n + BigInt(stored?.output_tokens) * 10_000_000n;
  const exact = `0.${String(picodollars).padStart(12, "0")}`.replace(/0+$/, "");
  await expect(page.getByTestId("tile-spend").getByTitle(`${exact} USD`).first()).toBeVisible();
  await expect(row.getByTitle(`${exact} USD`)).toBeVisible();
  expect(errors).toEqual([]);
});

test("calls that come while the rows are looked at wait behind a button", async ({ page }) => {
  await page.goto(dashboard.url);
  const table = page.getByTestId("table-live");
  await table.hover();
  const before = await table.getByRole("row").count();
  await ask("gpt-4o", { "x-omnimeter-feature": "later" });
  await expect(page.getByTestId("live-new")).toHaveText("1 new");
  await expect(table.getByRole("row")).toHaveCount(before);
  await page.getByTestId("live-new").click();
  await expect(table.getByRole("row")).toHaveCount(before + 1);
  await expect(page.getByTestId("tile-calls")).toContainText("2");
});

test("a model without a price needs attention, and the way leads to its calls and no others", async ({ page }) => {
  await page.goto(dashboard.url);
  await expect(page.getByTestId("attention-unpriced")).toHaveCount(0);
  await ask("gpt-9-unheard-of", { "x-omnimeter-feature": "future" });
  const item = page.getByTestId("attention-unpriced");
  await expect(item).toContainText("1 call of the last 7 days with a part without a price", { timeout: 10_000 });
  await expect(item).toContainText("gpt-9-unheard-of (1)");
  const live = page.getByTestId("table-live").getByRole("row").filter({ hasText: "future" });
  await expect(live).toContainText("unpriced");
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");

  await item.getByRole("link").click();
  await expect(page).toHaveURL(/\/calls\?r=7d&f=cost:unpriced/);
  await expect(page.getByTestId("table-calls").locator("tbody tr")).toHaveCount(1);
  await expect(page.getByTestId("table-calls")).toContainText("gpt-9-unheard-of");
});

test("templates are listed by name and version, unlabelled calls by their first words", async ({ page }) => {
  const reply = { "x-omnimeter-template": "support_reply" };
  await ask("gpt-4o", { ...reply, "x-omnimeter-template-version": "12" });
  await ask("gpt-4o", { ...reply, "x-omnimeter-template-version": "13" });
  await ask("gpt-4o-mini", {}, "You translate into Dutch. Keep the tone.");
  await dashboard.system.drained();
  await page.goto(`${dashboard.url}/templates`);
  const table = page.getByTestId("table-templates");
  await expect(table).toContainText("“You translate into Dutch. Keep the tone.”");
  // "support_reply", and two texts of instructions.
  await expect(page.getByTestId("tile-templates")).toContainText("3");
  await expect(page.getByTestId("tile-unpriced")).toContainText("1");

  const row = page.getByTestId("row-support_reply");
  await expect(row).toContainText("13");
  await row.getByRole("button", { name: "Versions of support_reply" }).click();
  await expect(page.getByTestId("row-support_reply@12")).toBeVisible();
  await expect(page.getByTestId("row-support_reply@13")).toBeVisible();
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");

  const total = page.getByTestId("row-total");
  const spend = await page.getByTestId("tile-spend").getByTitle(/USD/).getAttribute("title");
  await expect(total.getByTitle(String(spend))).toBeVisible();

  await page.getByTestId("row-support_reply@13").getByRole("link", { name: "1 call of" }).click();
  await expect(page).toHaveURL(/f=template:support_reply;version:13/);
  await expect(page.getByTestId("table-calls").locator("tbody tr")).toHaveCount(1);

  await page.goto(`${dashboard.url}/templates`);
  await page.getByTestId("tile-spend").getByRole("link").click();
  await expect(page).toHaveURL(/\/spend\?/);
  await expect(page.getByTestId("exact-spend")).toHaveText(String(spend));

  await page.goto(`${dashboard.url}/templates`);
  await page.getByRole("link", { name: "1 call of You translate into Dutch" }).click();
  await expect(page).toHaveURL(/f=unit:/);
  await expect(page.getByTestId("table-calls").locator("tbody tr")).toHaveCount(1);
  await expect(page.getByTestId("table-calls")).toContainText("gpt-4o-mini");
});

test("both pages hold on a phone: nothing but tables scrolls sideways", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  for (const path of ["/", "/templates"]) {
    await page.goto(dashboard.url + path);
    await expect(page.getByRole("table").first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  }
});
