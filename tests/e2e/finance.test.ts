import { readFile } from "node:fs/promises";
import { expect, type Page, test } from "playwright/test";
import { seedSpent } from "#tests/support/seed-spent.ts";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

const GPT_4O = "gpt-4o-2024-08-06";
const MINI = "gpt-4o-mini-2024-07-18";
const UNKNOWN = "gpt-9-unheard-of";
/** US dollars per 100 million tokens, as OpenAI's price page has them per million: 2.50 and 10.00, 0.15 and 0.60. */
const PRICES: Record<string, readonly [input: bigint, output: bigint]> = {
  [GPT_4O]: [250n, 1000n],
  [MINI]: [15n, 60n],
};
const CALLS = [
  { model: GPT_4O, feature: "search", customer: "acme", template: "answer" },
  { model: GPT_4O, feature: "search", customer: "globex", template: "answer" },
  { model: MINI, feature: "chat", customer: "acme", template: "answer" },
  { model: MINI, feature: "chat", customer: "=SUM(A1)" },
  { model: UNKNOWN, feature: "chat", customer: "acme" },
] as const;

let dashboard: Dashboard;
/** What each call cost, by hand, in units of 10^-8 USD. */
const costs: bigint[] = [];

test.beforeAll(async () => {
  dashboard = await startDashboard();
  for (const { model, feature, customer, ...rest } of CALLS) {
    const { usage } = await dashboard.openai.chat.completions.create(
      { model, messages: [{ role: "user", content: `What does ${feature} cost ${customer}?` }] },
      {
        headers: {
          "x-omnimeter-feature": feature,
          "x-omnimeter-customer": encodeURIComponent(customer),
          ...("template" in rest ? { "x-omnimeter-template": rest.template } : {}),
        },
      },
    );
    const [input, output] = PRICES[model] ?? [0n, 0n];
    costs.push(BigInt(usage?.prompt_tokens ?? 0) * input + BigInt(usage?.completion_tokens ?? 0) * output);
  }
  await dashboard.system.drained();
});
test.afterAll(() => dashboard?.stop());

const sumOf = (wanted: (call: (typeof CALLS)[number]) => boolean): string =>
  decimal(CALLS.reduce((sum, call, i) => (wanted(call) ? sum + (costs[i] as bigint) : sum), 0n));

/** 10^-8 USD as a decimal without trailing zeros. */
function decimal(units: bigint): string {
  const digits = units.toString().padStart(9, "0");
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`.replace(/\.?0+$/, "");
}

const exactSpend = (page: Page) => page.getByTestId("exact-spend");

test("the month's spend is tokens times price, to the last digit; tile, rows and file are one sum", async ({
  page,
}) => {
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`${dashboard.url}/spend`);
  await expect(page.getByText("Invoice time (UTC)")).toBeVisible();
  await expect(exactSpend(page)).toHaveText(`${sumOf(() => true)} USD`);
  await expect(page.getByTestId("tile-calls").locator("dd p")).toHaveText("5");
  await expect(page.getByTestId("row-total").locator(`[title="${sumOf(() => true)} USD"]`)).toBeVisible();
  await expect(page.getByTestId("table-matrix").locator(`[title="${sumOf(() => true)} USD"]`)).toHaveCount(2);

  // By customer, and into one of them.
  await page.getByRole("navigation", { name: "Group by" }).getByRole("link", { name: "Customer" }).click();
  await expect(page).toHaveURL(/\/spend\?g=customer$/);
  const acme = sumOf(({ customer }) => customer === "acme");
  const row = page.getByTestId("row-acme");
  await expect(row.locator(`[title="${acme} USD"]`)).toBeVisible();
  await row.getByRole("link", { name: "acme", exact: true }).click();
  await expect(page).toHaveURL(/f=customer:acme/);
  await expect(exactSpend(page)).toHaveText(`${acme} USD`);
  await expect(page.getByTestId("row-total").locator(`[title="${acme} USD"]`)).toBeVisible();
  await page.getByTestId("filter-customer").click();
  await expect(exactSpend(page)).toHaveText(`${sumOf(() => true)} USD`);

  await page.goto(`${dashboard.url}/spend?g=customer`);
  const downloading = page.waitForEvent("download");
  await page.getByTestId("csv").click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^omnimeter-spend-\d{4}-\d\d-UTC-by-customer\.csv$/);
  const [header, ...rows] = (await readFile(await download.path(), "utf8"))
    .trimEnd()
    .split("\r\n")
    .map((line) => line.split(","));
  const column = (name: string) => rows.map((cells) => cells[header?.indexOf(name) ?? -1] ?? "");
  expect(column("customer").sort()).toEqual(["'=SUM(A1)", "acme", "globex"]);
  expect(decimal(column("cost_usd").reduce((sum, usd) => sum + units(usd), 0n))).toBe(sumOf(() => true));
  expect(errors).toEqual([]);
});

test("a model without a price is unpriced: counted, named, and in no amount", async ({ page }) => {
  await page.goto(`${dashboard.url}/spend?g=model`);
  await expect(page.getByTestId("tile-unpriced").locator("dd p")).toHaveText("1");
  await expect(page.getByTestId("tile-unpriced")).toContainText(UNKNOWN);
  await expect(page.getByTestId("tile-unpriced")).toContainText("cost unknown");
  await page.getByTestId(`row-${UNKNOWN}`).getByTitle(`Calls of ${UNKNOWN}`).click();
  await expect(page).toHaveURL(/\/calls\?.*model:gpt-9-unheard-of/);
  await expect(page.locator("tbody tr").filter({ has: page.getByRole("link") })).toHaveCount(1);
});

test("what nobody can be charged for is told apart", async ({ page }) => {
  await page.goto(`${dashboard.url}/spend?g=template`);
  await expect(page.getByTestId("row-none given")).toContainText("unallocated");
  await expect(page.getByTestId("tile-allocated")).toContainText("2 calls without");
});

test("what was paid for nothing opens to its parts, and each to exactly its calls", async ({ page }) => {
  const at = (second: number) => `2026-05-04T10:00:0${second}.000Z`;
  const tokens = [0, 0, 1] as const;
  await seedSpent(dashboard.database.sql, [
    { at: at(0), feature: "search", outcome: "client_aborted", tokens, source: "estimated", costUsd: "0.25" },
    { at: at(1), outcome: "truncated", tokens, source: "estimated", costUsd: "0.000000000001" },
    { at: at(2), outcome: "failed" },
    { at: at(3), tokens, costUsd: "1" },
    { at: at(4), attemptOf: 3, attempt: 1, tokens, costUsd: "2" },
  ]);
  const parts = { aborted: ["0.25", 1], retried: ["0.000000000001", 2], superseded: ["1", 1] } as const;
  await page.goto(`${dashboard.url}/spend?r=2026-05`);
  const tile = page.getByTestId("tile-waste");
  await expect(tile.locator('[title="1.250000000001 USD"]').first()).toBeVisible();
  await expect(tile).toContainText("38.5 % of spend");
  await expect(tile).toContainText("$0.2500 of it estimated; 1 call without known usage, in no amount");
  await expect(tile).toContainText("$1.00 by calls without a feature, on answers that a later attempt made again");
  await tile.getByText("Its parts").click();
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
  for (const [part, [usd, calls]] of Object.entries(parts)) {
    await page.goto(`${dashboard.url}/spend?r=2026-05`);
    await tile.getByText("Its parts").click();
    const row = page.getByTestId(`row-${part}`);
    await expect(row.locator(`[title="${usd} USD"]`).first()).toBeVisible();
    await row.getByRole("link").click();
    await expect(page).toHaveURL(new RegExp(`/calls\\?.*waste:${part}`));
    await expect(page.getByTestId("totals").locator(`[title="${usd} USD"]`)).toBeVisible();
    await expect(page.locator("tbody tr").filter({ has: page.getByRole("link") })).toHaveCount(calls);
  }
  await page.goto(`${dashboard.url}/calls?r=2026-05&tz=UTC`);
  await expect(page.getByTestId("chart-calls")).toContainText("4 operations · 5 calls");
});

test("another zone has other days, and the same sum", async ({ page }) => {
  await page.goto(`${dashboard.url}/spend?r=7d&tz=Pacific/Chatham`);
  await expect(exactSpend(page)).toHaveText(`${sumOf(() => true)} USD`);
  await page.getByText("View as table").click();
  const days = await page.getByTestId("table-days").locator("tbody tr td:last-child [title]").all();
  const amounts = await Promise.all(days.map((day) => day.getAttribute("title")));
  expect(decimal(amounts.reduce((sum, usd) => sum + units((usd ?? "").replace(" USD", "")), 0n))).toBe(
    sumOf(() => true),
  );
  await page.getByRole("link", { name: "show invoice time" }).click();
  await expect(page.getByText("Invoice time (UTC)")).toBeVisible();
});

test("the page works with the keyboard alone, and for everybody", async ({ page }) => {
  await page.goto(`${dashboard.url}/spend`);
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  for (let i = 0; i < 60 && (await focused()) !== "Customer"; i++) await page.keyboard.press("Tab");
  // The filter's menu has this name too, and comes first.
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Customer, with how many are in range").getByText("globex")).toBeVisible();
  await page.keyboard.press("Escape");
  const legend = page.getByRole("button", { name: "search", exact: true });
  for (let i = 0; i < 60 && (await focused()) !== "search"; i++) await page.keyboard.press("Tab");
  await expect(legend).toBeFocused();
  await page.keyboard.press("Space");
  await expect(legend).toHaveAttribute("aria-pressed", "false");
  const link = page.getByTestId("row-chat").getByRole("link", { name: "chat", exact: true });
  for (let i = 0; i < 60 && !(await link.evaluate((one) => one === document.activeElement)); i++)
    await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/f=feature:chat&g=customer/);
  await expect(exactSpend(page)).toHaveText(`${sumOf(({ feature }) => feature === "chat")} USD`);
  await page.goto(`${dashboard.url}/spend`);
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
  await page.goto(`${dashboard.url}/spend?f=feature:nothing-like-this`);
  await expect(page.getByText("Nothing was spent here")).toBeVisible();
  await expectAccessible(page, "light");
});

/** A decimal in units of 10^-8. */
function units(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole + fraction.padEnd(8, "0"));
}
