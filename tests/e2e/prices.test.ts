import { expect, test } from "playwright/test";
import { readAdded } from "#db/price-book.ts";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

let dashboard: Dashboard;

test.beforeAll(async () => {
  dashboard = await startDashboard();
  await dashboard.openai.chat.completions.create({ model: "gpt-4o", messages: [{ role: "user", content: "Hello" }] });
  await dashboard.system.drained();
});
test.afterAll(() => dashboard?.stop());

test("a price of one's own and a discount are added on the price page, without any script", async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${dashboard.url}/settings`);
  await page.getByRole("link", { name: "Prices", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Prices");

  await page.getByLabel("model or note contains").fill("GPT-4o-2024-08-06");
  await page.getByRole("button", { name: "Search" }).click();
  const book = page.getByTestId("book");
  await expect(
    book.getByRole("row", { name: /^gpt-4o-2024-08-06 text in 2\.5 USD \/ 1M tokens standard/ }),
  ).toContainText("in force");

  const form = page.getByTestId("add-price");
  await form.getByLabel("model, as its answers name it").fill("llama 70b");
  await form.getByLabel("US dollars").fill("0,2");
  await form.getByRole("button").click();
  await expect(page.getByTestId("problems")).toContainText("A model has 1 to 128 characters");
  await expect(page.getByTestId("problems")).toContainText("A price is a decimal in US dollars");
  await expect(form.getByLabel("US dollars")).toHaveValue("0,2");
  await expect(form.getByLabel("US dollars")).toHaveAttribute("aria-describedby", "price_bad_usd");
  await form.getByLabel("model, as its answers name it").fill("llama-70b");
  await form.getByLabel("US dollars").fill("0.2");
  await form.getByLabel("note (where it is from)").fill("our own machines");
  await form.getByRole("button").click();
  await expect(page.getByTestId("done")).toContainText("The price is added.");
  await page.goto(`${dashboard.url}/settings/prices?q=llama`);
  await expect(book.getByRole("row", { name: /llama-70b/ })).toContainText("your own");

  const term = page.getByTestId("add-term");
  await term.getByLabel("models (a last * is any rest)").fill("gpt-4o*");
  await term.getByLabel("times the list price").fill("0.90");
  await term.getByRole("button").click();
  await expect(page.getByTestId("terms").getByRole("row", { name: /^gpt-4o\* 0\.9 / })).toBeVisible();
  const { prices, terms } = await readAdded(dashboard.database.sql);
  expect(prices.map(({ model, usd, origin }) => `${model} ${usd} ${origin}`)).toEqual(["llama-70b 0.2 own"]);
  expect(terms.map(({ models, factor }) => `${models} ${factor}`)).toEqual(["gpt-4o* 0.9"]);
  await context.close();
});

test("a call is priced by what was added, from when the recorder has read it on", async () => {
  const { openai, system, database } = dashboard;
  await system.kill("recorder");
  await system.start("recorder");
  await openai.chat.completions.create({ model: "gpt-4o", messages: [{ role: "user", content: "Hello again" }] });
  await system.drained();
  const [term] = (await readAdded(database.sql)).terms;
  const terms = await database.sql<{ term: string }[]>`
    select distinct split_part(price_id, '#', 2) as term, call_id from usage_lines order by call_id`;
  // The first call was stored before, and keeps its price.
  expect(terms.map((row) => row.term)).toEqual(["", term?.id]);
});

test("the price page is readable by everybody, dark and light, and scrolls only its tables", async ({ page }) => {
  await dashboard.database.sql`
    insert into rerates (id, project_id, from_day, to_day, finished_at, calls, lines_changed, cost_before_usd, cost_after_usd, report)
    values ('0197b7a0-0000-7000-8000-000000000001', 'default', '2026-10-01', '2026-10-31', now(), 2, 4, null, '0.0056', ${JSON.stringify(
      {
        of: null,
        calls: 2,
        lines: 4,
        beforeUsd: null,
        afterUsd: "0.0056",
        unpricedBefore: 4,
        unpricedAfter: 0,
        models: { "gpt-9": { lines: 4, beforeUsd: null, afterUsd: "0.0056", unpricedBefore: 4, unpricedAfter: 0 } },
      },
    )}::text::jsonb)`;
  await page.goto(`${dashboard.url}/settings/prices`);
  await expect(page.getByTestId("rerates").getByRole("row", { name: /2026-10-01 to 2026-10-31/ })).toContainText(
    "4 lines unpriced",
  );
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${width}`).toBe(true);
  }
  // All rows of the book are alike: a search shows a few, and to look at each of five hundred takes half a minute.
  await page.goto(`${dashboard.url}/settings/prices?q=whisper`);
  await expectAccessible(page, "dark");
  await expectAccessible(page, "light");
});
