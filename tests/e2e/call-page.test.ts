import { execFileSync } from "node:child_process";
import { expect, type Page, test } from "playwright/test";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const OPERATION = "11111111-2222-4333-8444-555555555555";
const reply = { "x-omnimeter-feature": "support", "x-omnimeter-template": "reply" };

let dashboard: Dashboard;
test.beforeAll(async () => {
  dashboard = await startDashboard({ OMNIMETER_TRACE_URL: "https://traces.example/trace/{trace_id}" });
});
test.afterAll(() => dashboard?.stop());

/** A stream of three chunks, read to its end. */
async function ask(script: object, headers: Record<string, string> = {}): Promise<void> {
  const stream = await dashboard.openai.chat.completions.create(
    { model: "gpt-4o", stream: true, messages: [{ role: "user", content: "It's $(late)\n'isn't' it?" }] },
    { headers: { ...reply, ...headers, "x-script": JSON.stringify({ do: "chat", chunks: 3, ...script }) } },
  );
  for await (const _ of stream);
}

async function openNewest(page: Page, where = "") {
  await dashboard.system.drained();
  const [call] = await dashboard.database.sql.unsafe(`select id from calls ${where} order by id desc limit 1`);
  await page.goto(`${dashboard.url}/calls/${call?.id}`);
}

test("a slow call says against what, and which stage it was", async ({ page }) => {
  await ask({ paceMs: 2 });
  await openNewest(page);
  await expect(page.getByTestId("comparison")).toHaveText(/^Nothing to compare with: there were no comparable calls/);
  await expect(page.getByTestId("ghost")).toHaveCount(0);
  // Twenty make a p50.
  for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 4 }, () => ask({ paceMs: 2 })));
  await ask({ paceMs: 2, delayMs: 2000 }, { traceparent: `00-${TRACE}-b7ad6b7169203331-01` });
  await openNewest(page);

  await expect(page.getByTestId("comparison")).toHaveText(
    /^Slower than usual: .* against .* \(p50 of 21 comparable calls\); .* (of it|more) upstream before the first (byte|token)\.$/,
  );
  const waterfall = page.getByTestId("waterfall");
  expect(await waterfall.getByTestId("ghost").count()).toBeGreaterThan(0);
  await expect(waterfall.getByRole("row", { name: /^Generation/ })).toContainText(/usually .*, n 21/);
  await expect(page.getByTestId("whose-time")).toContainText(/upstream.*9\d(\.\d)? %/);
  await expect(page.getByTestId("table-pace").getByRole("row", { name: /^Content chunks/ })).toContainText("usually 3");

  const trace = page.getByRole("link", { name: TRACE });
  await expect(trace).toHaveAttribute("href", `https://traces.example/trace/${TRACE}`);
  await expect(trace).toHaveAttribute("rel", "noopener");

  await page.getByRole("link", { name: "Log", exact: true }).click();
  await expect(page).toHaveURL(/\?y=log$/);
  await expect(page.getByText(/^Log scale from 0\.1 ms/)).toBeVisible();
  await expect(page.getByRole("link", { name: "Log", exact: true })).toHaveAttribute("aria-current", "true");
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test("a call can be sent again as it was, through the proxy", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await ask({ paceMs: 2 });
  await openNewest(page);
  await expect(async () => {
    await page.getByRole("button", { name: "Copy as curl" }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^curl /);
  }).toPass({ timeout: 5000 });
  const text = await page.evaluate(() => navigator.clipboard.readText());
  const printed = execFileSync("bash", ["--norc", "-c", `curl() { printf '%s\\0' "$@"; }\n${text}`], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url = "", , , , , , body = ""] = printed.split("\0");
  expect(url).toBe(`${dashboard.system.proxyUrl}/v1/chat/completions`);
  const headers = { authorization: "Bearer sk-test-not-a-key", "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body });
  expect(answer.status).toBe(200);
  await answer.text();
  await dashboard.system.drained();
  const sent = await dashboard.database.sql`
    select request_model, streamed, unit_hash from calls order by id desc limit 2`;
  expect(sent[0]).toEqual(sent[1]);

  await page
    .getByText(/^\d+ lines$/)
    .last()
    .click();
  await expect(page.getByText("client.chat.completions.create")).toBeVisible();
});

test("the calls of one operation stand on one axis, with what was paid in vain", async ({ page }) => {
  const attempt = { "x-omnimeter-operation": OPERATION };
  const refused = '{"error":{"message":"boom","type":"server_error","param":null,"code":null}}';
  await ask({ do: "answer", status: 500, body: refused }, attempt).catch(() => {});
  await ask({ paceMs: 2 }, { ...attempt, "x-stainless-retry-count": "1" });
  await openNewest(page, "where outcome = 'failed'");
  const rows = page.getByTestId("table-attempts").locator("tbody tr");
  await expect(rows).toHaveCount(2);
  await expect(rows.nth(0)).toContainText("this call");
  await expect(rows.nth(1)).toContainText("Completed");
  await expect(page.getByTestId("attempts-cost")).toHaveText(
    /^Together they cost \$.*, none of it known as waste\. Of 1 call that bought nothing the cost is not known\.$/,
  );
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
  await rows.nth(1).getByRole("link").click();
  await expect(page.getByTestId("table-attempts").locator("[aria-current=page]")).toBeVisible();
  await expect(page.getByTestId("verdict")).toContainText("Completed after");
});
