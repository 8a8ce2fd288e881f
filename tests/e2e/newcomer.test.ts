import { expect, test } from "playwright/test";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

let dashboard: Dashboard;
test.beforeAll(async () => {
  dashboard = await startDashboard();
});
test.afterAll(() => dashboard?.stop());

test("a newcomer opens an empty list of calls, makes a first call, and sees it arrive by itself", async ({ page }) => {
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`${dashboard.url}/calls`);
  await expect(page.getByText("Waiting for your first call")).toBeVisible();
  // The page names this proxy's own base URL.
  await expect(page.getByText(`${dashboard.system.proxyUrl}/v1`).first()).toBeVisible();
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");

  const stream = await dashboard.openai.chat.completions.create(
    { model: "gpt-4o", stream: true, messages: [{ role: "user", content: "Say hello." }] },
    { headers: { "x-omnimeter-feature": "greeting", "x-omnimeter-customer": "acme" } },
  );
  let said = "";
  for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? "";
  const calledAt = Date.now();
  const row = page.getByRole("row").filter({ hasText: "greeting" });
  await expect(row).toBeVisible({ timeout: 5000 });
  expect(Date.now() - calledAt).toBeLessThan(5000);
  await expect(row).toContainText("acme");
  await expect(row).toContainText("gpt-4o");
  await expect(row).toContainText("Completed");

  await row.getByRole("link").first().click();
  await expect(page).toHaveURL(/\/calls\/[0-9a-f-]{36}/);
  await expect(page.getByText("Say hello.").first()).toBeVisible();
  await expect(page.getByText(said.slice(0, 40)).first()).toBeVisible();
  const [stored] = await dashboard.database.sql`select input_tokens, output_tokens from calls`;
  await expect(page.getByText(String(stored?.input_tokens)).first()).toBeVisible();
  await expect(page.getByText(/first token/i).first()).toBeVisible();
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
  expect(errors).toEqual([]);
});

test("a call that arrives while the list is open stands on it within two seconds", async ({ page }) => {
  await page.goto(`${dashboard.url}/calls`);
  await expect(page.getByRole("row").filter({ hasText: "greeting" })).toBeVisible();
  await dashboard.openai.chat.completions.create(
    { model: "gpt-4o-mini", messages: [{ role: "user", content: "And now?" }] },
    { headers: { "x-omnimeter-feature": "second" } },
  );
  await expect(page.getByRole("row").filter({ hasText: "second" })).toBeVisible({ timeout: 2500 });
  // Both are completed: no bar has a part that says otherwise.
  const drawn = page.getByTestId("chart-calls").locator(".recharts-bar-rectangle path");
  await expect(drawn.and(page.locator('[fill="var(--bar)"]')).first()).toBeVisible();
  await expect(drawn.and(page.locator('[fill="url(#hatch)"]'))).toHaveCount(0);
});

test("filters are in the address, narrow the list and its totals, and can be taken away", async ({ page }) => {
  await dashboard.openai.chat.completions
    .create(
      { model: "gpt-4o", messages: [] },
      {
        headers: {
          "x-script": JSON.stringify({
            do: "answer",
            status: 500,
            body: '{"error":{"message":"boom","type":"server_error","param":null,"code":null}}',
          }),
          "x-omnimeter-feature": "broken",
        },
      },
    )
    .catch(() => {});
  await dashboard.system.drained();
  await page.goto(`${dashboard.url}/calls?f=status:failed`);
  const rows = page.locator("tbody tr").filter({ has: page.getByRole("link") });
  await expect(rows).toHaveCount(1);
  await expect(rows.first()).toContainText("broken");
  await expectAccessible(page, "light");
  await page.goto(`${dashboard.url}/calls?f=feature:nothing-like-this`);
  await expect(page.getByText(/remove/i).first()).toBeVisible();
});

test("a stream that the official client leaves once it has everything is completed, not aborted", async () => {
  const stream = await dashboard.openai.chat.completions.create(
    { model: "gpt-4o", stream: true, messages: [{ role: "user", content: "Hello?" }] },
    { headers: { "x-omnimeter-feature": "paced", "x-script": JSON.stringify({ do: "chat", chunks: 5, paceMs: 30 }) } },
  );
  for await (const _ of stream);
  await dashboard.system.drained();
  const rows = await dashboard.database.sql`select outcome, error_message from calls where feature = 'paced'`;
  expect([...rows]).toEqual([{ outcome: "completed", error_message: null }]);
});

test("a call that the client gave up says so, with an estimate and its bounds", async ({ page }) => {
  const stream = await dashboard.openai.chat.completions.create(
    { model: "gpt-4o", stream: true, max_tokens: 500, messages: [{ role: "user", content: "Tell me a long story." }] },
    {
      headers: {
        "x-omnimeter-feature": "given-up",
        "x-script": JSON.stringify({ do: "chat", chunks: 200, paceMs: 20 }),
      },
    },
  );
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 5) stream.controller.abort();
  await dashboard.system.drained();
  await page.goto(`${dashboard.url}/calls?f=feature:given-up`);
  await page.getByRole("row").filter({ hasText: "given-up" }).getByRole("link").first().click();
  await expect(page.getByText(/hung up/i).first()).toBeVisible();
  await expect(page.getByText(/estimated/i).first()).toBeVisible();
  await expectAccessible(page, "dark");
});

test("the list works with the keyboard alone", async ({ page }) => {
  await page.goto(`${dashboard.url}/calls`);
  await expect(
    page
      .locator("tbody tr")
      .filter({ has: page.getByRole("link") })
      .first(),
  ).toBeVisible();
  // Keys work once the page has come alive: press until a row has the focus, as a person would.
  await expect(async () => {
    await page.keyboard.press("j");
    expect(await page.evaluate(() => document.activeElement?.closest("tbody") !== null)).toBe(true);
  }).toPass({ timeout: 5000 });
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/calls\/[0-9a-f-]{36}/);
});
