import { expect, type Page, test } from "playwright/test";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

let dashboard: Dashboard;
test.beforeAll(async () => {
  dashboard = await startDashboard();
});
test.afterAll(() => dashboard?.stop());

/** One completed call through the proxy; its id as the answer's header says it. */
async function call(feature: string): Promise<string> {
  const { response } = await dashboard.openai.chat.completions
    .create(
      { model: "gpt-4o", messages: [{ role: "user", content: "What year is it?" }] },
      { headers: { "x-omnimeter-feature": feature } },
    )
    .withResponse();
  return response.headers.get("x-omnimeter-call-id") ?? "";
}

/** The page as it is once the feedback has found its call. */
async function expectRate(page: Page, text: string) {
  await expect(async () => {
    await page.goto(`${dashboard.url}/quality`);
    await expect(page.getByTestId("tile-rate")).toContainText(text, { timeout: 500 });
  }).toPass({ timeout: 15_000 });
}

test("before the first rating the page says how to send one", async ({ page }) => {
  await page.goto(`${dashboard.url}/quality`);
  await expect(page.getByText("No ratings yet")).toBeVisible();
  await expect(page.getByText(`${dashboard.system.proxyUrl}/omnimeter/v1/feedback`)).toBeVisible();
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
});

test("a thumbs-down at the proxy and thumbs on the call's page move the rate and its interval", async ({ page }) => {
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  const id = await call("answers");
  const sent = await fetch(`${dashboard.system.proxyUrl}/omnimeter/v1/feedback`, {
    method: "POST",
    body: JSON.stringify({ target: { call: id }, rating: "down", comment: "Wrong year.", rater: "user-17" }),
  });
  expect(sent.status).toBe(202);
  await dashboard.system.drained();
  await expectRate(page, "0.0 % [0.0–79.3] n 1");
  await expect(page.getByTestId("tile-rate")).toContainText("not enough data");
  await expect(page.getByTestId("tile-coverage")).toContainText("1 of 1 call");
  await expect(page.getByTestId("comments")).toContainText("Wrong year.");

  await page.goto(`${dashboard.url}/calls/${id}`);
  await expect(page.getByTestId("words")).toContainText("Wrong year.");
  const up = page.getByRole("button", { name: "Thumbs up" });
  await expect(up).toHaveAttribute("aria-pressed", "false");
  await up.focus();
  await page.keyboard.press("Enter");
  await expect(up).toHaveAttribute("aria-pressed", "true");
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
  // One of two: Wilson's interval.
  await expectRate(page, "50.0 % [9.5–90.5] n 2");

  await page.goto(`${dashboard.url}/calls/${id}`);
  await page.getByLabel("Comment").fill("The year is missing.");
  await page.getByRole("button", { name: "Thumbs down" }).click();
  await expect(page.getByRole("button", { name: "Thumbs down" })).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByRole("button", { name: "Thumbs up" })).toHaveAttribute("aria-pressed", "false");
  // The word before is kept, and counts no more.
  await expect(page.getByTestId("words").getByRole("row").filter({ hasText: "no, replaced" })).toHaveCount(1);
  await expectRate(page, "0.0 % [0.0–65.8] n 2");
  await expect(page.getByTestId("comments")).toContainText("The year is missing.");
  await expect(page.getByTestId("row-answers")).toContainText("[0.0–65.8]");
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");

  // The same button takes a thumb back.
  await page.goto(`${dashboard.url}/calls/${id}`);
  await page.getByRole("button", { name: "Thumbs down" }).click();
  await expect(page.getByRole("button", { name: "Thumbs down" })).toHaveAttribute("aria-pressed", "false");
  await expectRate(page, "0.0 % [0.0–79.3] n 1");
  expect(errors).toEqual([]);
});

test("groups are in the address, and lead to themselves and to their calls", async ({ page }) => {
  await page.goto(`${dashboard.url}/quality`);
  await page.getByRole("navigation", { name: "Group by" }).getByRole("link", { name: "Snapshot" }).click();
  await expect(page).toHaveURL(/g=snapshot/);
  await expect(page.getByTestId("table-groups").getByRole("row").nth(1)).toContainText("gpt-4o");
  await page.getByRole("navigation", { name: "Group by" }).getByRole("link", { name: "Feature" }).click();
  await page.getByTestId("row-answers").getByRole("link", { name: "answers", exact: true }).click();
  await expect(page).toHaveURL(/f=feature:answers/);
  await expect(page.getByTestId("filter-feature")).toContainText("answers");
  await page.getByTestId("row-answers").getByRole("link", { name: "Calls of answers" }).click();
  await expect(page).toHaveURL(/\/calls\?.*f=feature:answers/);
});

test("thumbs work without a script", async ({ browser }) => {
  const id = await call("plain");
  await dashboard.system.drained();
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${dashboard.url}/calls/${id}?f=feature:plain`);
  await page.getByRole("button", { name: "Thumbs up" }).click();
  await expect(page).toHaveURL(new RegExp(`/calls/${id}\\?f=feature:plain#feedback$`));
  await expect(page.getByRole("button", { name: "Thumbs up" })).toHaveAttribute("aria-pressed", "true");
  await context.close();
});

test("words from elsewhere and words that fit no call are refused with a reason", async () => {
  const id = await call("refused");
  await dashboard.system.drained();
  const post = async (fields: Record<string, string>, headers: Record<string, string> = {}) => {
    const response = await fetch(`${dashboard.url}/feedback`, {
      method: "POST",
      headers: { accept: "application/json", ...headers },
      body: new URLSearchParams(fields),
    });
    const { error } = (await response.json()) as { error?: { code: string; message: string } };
    return `${response.status} ${error?.code ?? "stored"}`;
  };
  expect(await post({ call: id, rating: "up" }, { origin: "http://evil.example" })).toBe("403 feedback_foreign_origin");
  expect(await post({ call: id, rating: "up" }, { "sec-fetch-site": "same-site" })).toBe("403 feedback_foreign_origin");
  expect(await post({ call: id, rating: "sideways" })).toBe("400 feedback_bad_rating");
  expect(await post({ call: "x", rating: "up" })).toBe("400 feedback_bad_target");
  expect(await post({ call: id, rating: "up", comment: "x".repeat(16_385) })).toBe("400 feedback_bad_comment");
  expect(await post({ call: id, rating: "up", comment: "x".repeat(300_000) })).toBe("413 feedback_too_large");
  expect(await post({ call: `${id.slice(0, -4)}0000`, rating: "up" })).toBe("404 feedback_no_call");
  expect(await dashboard.database.sql`select 1 from feedback where call_id = ${id}`).toHaveLength(0);
  expect(await post({ call: id, rating: "up" }, { origin: dashboard.url })).toBe("200 stored");
  expect(await dashboard.database.sql`select 1 from feedback where call_id = ${id}`).toHaveLength(1);
});
