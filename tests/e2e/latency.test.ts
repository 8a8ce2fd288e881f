import { setTimeout as sleep } from "node:timers/promises";
import { expect, type Page, test } from "playwright/test";
import { asHeader } from "#tests/support/upstream/script.ts";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

const STEADY_MS = 20_000;
const SLOW_MS = 15_000;
const COLUMN_MS = 5000;
const FEATURES = ["support-chat", "search-answers", "rewrite", "summaries"] as const;

/** Two installations: behind one the upstream gets slow for a feature, in the other calls queue for the only connection. */
let slowUpstream: Dashboard;
let ownQueue: Dashboard;
/** The range that holds all traffic, and where in it things got slow. */
let range = "";
let slowFromMs = 0;

test.beforeAll(async () => {
  [slowUpstream, ownQueue] = await Promise.all([
    startDashboard(),
    startDashboard({ OMNIMETER_UPSTREAM_CONNECTIONS: "1" }),
  ]);
});
test.afterAll(async () => {
  await Promise.all([slowUpstream?.stop(), ownQueue?.stop()]);
});

/** One chat completion, read to its end. */
async function call({ system }: Dashboard, feature: string, delayMs: number, stream = true) {
  const response = await fetch(`${system.proxyUrl}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-omnimeter-feature": feature,
      "x-script": asHeader({ do: "chat", delayMs }),
    },
    body: JSON.stringify({ model: "gpt-4o", stream, messages: [{ role: "user", content: `Help with ${feature}.` }] }),
  });
  await response.arrayBuffer();
}

/** Several features side by side, five calls a second each; from `slowFromMs` on one of them waits 800 ms for the upstream. */
async function upstreamTraffic(untilMs: number) {
  await Promise.all(
    FEATURES.map(async (feature, i) => {
      const under: Promise<void>[] = [];
      await sleep(i * 50);
      while (Date.now() < untilMs) {
        const isSlow = feature === "support-chat" && Date.now() >= slowFromMs;
        under.push(call(slowUpstream, feature, isSlow ? 840 : 40));
        await sleep(200);
      }
      await Promise.all(under);
    }),
  );
}

/** One call after the other; from `slowFromMs` on five at a time, so that each waits for four others of 50 ms. */
async function queueTraffic(untilMs: number) {
  const loop = async (feature: string) => {
    while (Date.now() < untilMs) await call(ownQueue, feature, 50, false);
  };
  const first = loop("search-answers");
  await sleep(slowFromMs - Date.now());
  await Promise.all([first, ...Array.from({ length: 4 }, () => loop("search-answers"))]);
}

const at = (dashboard: Dashboard, query = "") => `${dashboard.url}/latency?r=${range}${query}`;
const asCount = (text: string | null) => Number(/([\d,]+) calls?/.exec(text ?? "")?.[1]?.replaceAll(",", ""));

/** The number of calls that the selection claims, and that the list of calls then holds. */
async function expectSameCalls(page: Page) {
  const selection = page.getByTestId("selection");
  await expect(selection).toBeVisible();
  const count = asCount(await selection.textContent());
  expect(count).toBeGreaterThan(0);
  await selection.getByRole("link", { name: "Show these calls" }).click();
  await expect(page).toHaveURL(/\/calls\?.*latency:/);
  await expect(page.getByTestId("totals")).toContainText(`Calls${count.toLocaleString("en-US")}`);
  return count;
}

test("before the first call the page says how to begin", async ({ page }) => {
  await page.goto(`${slowUpstream.url}/latency`);
  await expect(page.getByTestId("first-call")).toBeVisible();
  await expect(page.getByTestId("verdict")).toHaveCount(0);
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
});

test.describe("when calls got slow", () => {
  test.beforeAll(async () => {
    test.setTimeout(STEADY_MS + SLOW_MS + 60_000);
    // Columns begin at every fifth second.
    const startMs = Math.ceil(Date.now() / COLUMN_MS) * COLUMN_MS;
    await sleep(startMs - Date.now());
    slowFromMs = startMs + STEADY_MS;
    const endMs = slowFromMs + SLOW_MS;
    await Promise.all([upstreamTraffic(endMs), queueTraffic(endMs)]);
    await Promise.all([slowUpstream.system.drained(), ownQueue.system.drained()]);
    range = `${new Date(startMs).toISOString()}..${new Date(endMs).toISOString()}`;
  });

  test("800 ms of the upstream in one feature: the page names the upstream, the feature and since when", async ({
    page,
  }) => {
    const errors: string[] = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(at(slowUpstream));
    // A busy machine may hold us up besides, at another time.
    const finding = page.getByTestId("finding-text").filter({ hasText: "p95 first token" });
    await expect(finding).toHaveCount(1);
    await expect(finding).toContainText(/(9\d|100) % of the excess is upstream/);
    await expect(finding).toContainText(/% of it in support-chat/);
    await expect(finding).not.toContainText("Omnimeter's own");
    const clock = new Date(slowFromMs).toISOString().slice(11, 19).replace(/:00$/, "");
    await expect(finding).toContainText(clock);
    await expectAccessible(page, "light");
    await expectAccessible(page, "dark");

    // Each noun leads on.
    await finding.getByRole("link", { name: "support-chat" }).click();
    await expect(page).toHaveURL(/f=feature:support-chat;modality:text/);
    await expect(page.getByTestId("strip-text")).toContainText("first token, n");
    await page.goto(at(slowUpstream));
    await finding.getByRole("link", { name: "p95 first token" }).click();
    await expect(page).toHaveURL(/\/calls\?.*latency:first_token/);
    await expect(page.getByTestId("table-calls").locator("tbody tr").first()).toContainText("support-chat");
    expect(errors).toEqual([]);
  });

  test("200 ms in our own queue: the page names us, and not the upstream", async ({ page }) => {
    await page.goto(at(ownQueue));
    const finding = page.getByTestId("finding-text").first();
    await expect(finding).toContainText(
      /(9\d) % of the excess is Omnimeter's own queue|100 % of the excess is Omnimeter's own queue/,
    );
    await expect(finding).not.toContainText("is upstream");
    // The same in Omnimeter's own time alone.
    await page.getByRole("navigation", { name: "Metric" }).getByRole("link", { name: "Omnimeter's own" }).click();
    await expect(page).toHaveURL(/m=own/);
    await expect(finding).toContainText("p95 time in Omnimeter");
  });

  test("a dragged rectangle holds exactly the calls that the list then shows", async ({ page }) => {
    await page.goto(at(slowUpstream));
    const box = await page.getByTestId("pick-text").boundingBox();
    if (!box) throw new Error("no heatmap");
    await page.mouse.move(box.x + box.width * 0.2, box.y + 1);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 1, box.y + box.height * 0.5, { steps: 5 });
    await page.mouse.up();
    await expect(page).toHaveURL(/sel=[^&]+Z\.\.[^&]+,text/);
    await expect(page.getByTestId("selection")).toBeVisible();
    await expectAccessible(page, "light");
    await expectAccessible(page, "dark");
    const count = await expectSameCalls(page);
    // All of the slow calls are in the upper half.
    const [slow] = await slowUpstream.database.sql<{ n: number }[]>`
      select count(*)::int as n from calls where feature = 'support-chat' and first_token_ms > 820`;
    expect(count).toBeGreaterThanOrEqual(slow?.n ?? Number.POSITIVE_INFINITY);
  });

  test("the keyboard selects as the mouse does", async ({ page }) => {
    await page.goto(at(slowUpstream));
    const said = page.getByRole("status").filter({ hasText: "Enter selects" });
    // Figures come after the page, and its script after them.
    await expect(async () => {
      await page.getByTestId("pick-text").focus();
      await page.keyboard.press("ArrowLeft");
      await expect(said).toBeVisible({ timeout: 500 });
    }).toPass();
    for (const key of ["ArrowDown", "Shift+ArrowUp", "Shift+ArrowUp", "Shift+ArrowLeft", "Shift+ArrowLeft"])
      await page.keyboard.press(key);
    // Grown until something is in it, whatever this machine's speed.
    for (let i = 0; i < 12; i++) await page.keyboard.press("Shift+ArrowUp");
    for (let i = 0; i < 5; i++) await page.keyboard.press("Shift+ArrowLeft");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/sel=/);
    await expectSameCalls(page);
  });

  test("four fields select without a script", async ({ browser }) => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(at(slowUpstream, "&f=feature:support-chat"));
    await page.getByText("Select by numbers").click();
    const form = page.getByTestId("select-text");
    await form.getByLabel("Took from, ms").fill("720");
    await form.getByRole("button", { name: "Select" }).click();
    await expect(page).toHaveURL(/f=feature:support-chat&sel=/);
    const count = await expectSameCalls(page);
    const [slow] = await slowUpstream.database.sql<{ n: number }[]>`
      select count(*)::int as n from calls where feature = 'support-chat' and first_token_ms >= power(2, 9.5)`;
    // The nearest edge is 2^9.5 ms, 724.
    expect(count).toBe(slow?.n);
    await page.goto(at(slowUpstream, "&sel=yesterday"));
    await expect(page.getByText("The selection “yesterday” is not understood")).toBeVisible();
    await context.close();
  });

  test("every route leads to its calls, and too few calls are said instead of a percentile", async ({ page }) => {
    await page.goto(at(slowUpstream));
    const link = page.getByTestId("route-rewrite").getByRole("link", { name: /calls of rewrite/ });
    const count = Number((await link.textContent())?.replaceAll(",", ""));
    await link.click();
    await expect(page.getByTestId("totals")).toContainText(`Calls${count.toLocaleString("en-US")}`);

    await call(slowUpstream, "rare", 0);
    await slowUpstream.system.drained();
    await page.goto(`${slowUpstream.url}/latency?r=15m&f=feature:rare`);
    await expect(page.getByTestId("strip-text")).toContainText("n = 1");
    await expect(page.getByTestId("quiet-text")).toContainText("too few calls");
    await page.goto(`${slowUpstream.url}/latency?r=15m&f=feature:nobody`);
    await expect(page.getByTestId("empty-filter")).toBeVisible();
  });

  test("the page holds on a phone: nothing but tables scrolls sideways", async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(at(slowUpstream));
    await expect(page.getByTestId("heatmap-text")).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});
