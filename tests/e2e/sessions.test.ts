import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "playwright/test";
import { readKey } from "#lib/keys.ts";
import { contentKeyFile } from "#lib/spool/spool-dir.ts";
import { storeMedia, storeVoice } from "#tests/support/store-voice.ts";
import { type Dashboard, expectAccessible, startDashboard } from "./dashboard.ts";

/** A tenth of a second of silence, 8 kHz, 16 bit. */
const WAV = Buffer.concat([
  Buffer.from("524946466406000057415645666d74201000000001000100401f0000803e0000020010006461746140060000", "hex"),
  Buffer.alloc(1600),
]);

let dashboard: Dashboard;
let voice: Awaited<ReturnType<typeof storeVoice>>;
test.beforeAll(async () => {
  dashboard = await startDashboard();
  // Brings the recorder's keys and its price book.
  await dashboard.openai.chat.completions.create({ model: "gpt-4o", messages: [{ role: "user", content: "Hello" }] });
  await dashboard.system.drained();
  const { sql } = dashboard.database;
  voice = await storeVoice(sql, Date.now() - 600_000);
  await storeVoice(sql, Date.now() - 120_000, { endedAt: null, endReason: null, closeCode: null, feature: "desk" });
  const key = readKey(contentKeyFile(dashboard.system.dataDir));
  await storeMedia(
    sql,
    voice.calls[0]?.id as string,
    { index: 0, direction: "output", mediaType: "audio/wav", bytes: WAV },
    key,
  );
});
test.afterAll(() => dashboard?.stop());

test("a voice session is found, says what it cost and what was never heard, turn by turn", async ({ page }) => {
  await page.goto(`${dashboard.url}/calls`);
  await page.getByRole("link", { name: "Sessions", exact: true }).click();
  const rows = page.getByTestId("table-sessions").locator("tbody tr");
  await expect(rows).toHaveCount(2);
  await expect(page.getByTestId("session-totals")).toContainText("too few turns, p50 needs 20 n 8");
  // 2 × 0.01684: the sum of the rows.
  await expect(page.getByTestId("sessions-cost")).toHaveAttribute("title", "0.03368 USD");
  const waits = page.getByTestId("table-waits").locator("tbody tr");
  await expect(waits).toHaveCount(2);
  await expect(waits.nth(0)).toContainText(/75 ms.*225 ms.*483 ms.*25 %/);
  await expect(rows.nth(0)).toContainText("still open");
  await expect(rows.nth(1)).toContainText("320 ms");
  await expect(rows.nth(1)).toContainText("n 4");
  await expectAccessible(page, "light");
  await page.getByTestId("filter-menu-feature").click();
  await page.getByRole("link", { name: /^desk/ }).click();
  await expect(rows).toHaveCount(1);
  await page.getByTestId("filter-feature").click();
  await expect(rows).toHaveCount(2);
  await rows.nth(1).getByRole("link").focus();
  await page.keyboard.press("Enter");

  await expect(page).toHaveURL(new RegExp(`/sessions/${voice.session.id}`));
  await expect(page.getByTestId("verdict")).toContainText(
    "1 answer was cut off by the user. 2.20 s of audio was generated but never heard and cost $0.00352.",
  );
  await expect(page.getByTestId("session-cost")).toHaveAttribute("title", "0.01684 USD");
  const timeline = page.getByTestId("timeline");
  await expect(timeline.locator("tbody tr")).toHaveCount(5);
  await expect(page.getByTestId("turn-1")).toContainText(
    "first audio after 300 ms; barge-in, 1.80 s heard, 2.20 s never heard",
  );
  await expect(page.getByTestId("turn-3")).toContainText("false barge-in");
  await expect(page.getByTestId("context")).toHaveText(
    "921 input tokens in 2 responses: 14.3 % had been sent before, 76.4 % came from the cache.",
  );
  await expect(page.getByTestId("no-words")).toContainText('{"target":{"session":"booth-7"},"rating":"up"}');
  await expect(page.getByTestId("table-limits")).toContainText("5 %");
  await expectAccessible(page, "light");
  await expectAccessible(page, "dark");
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test("a response of it has a page that leads back, and its kept audio can be played, here and nowhere else", async ({
  page,
  request,
}) => {
  const id = voice.calls[0]?.id;
  await page.goto(`${dashboard.url}/calls/${id}`);
  await expect(page.getByTestId("exact-cost")).toHaveText("0.008835");
  await expect(page.getByTestId("child-timing")).toBeVisible();
  await expect(page.getByTestId("table-related").locator("tbody tr")).not.toHaveCount(0);
  await expectAccessible(page, "light");
  const seconds = await page.locator("audio").evaluate(
    (audio: HTMLAudioElement) =>
      new Promise<number>((resolve, reject) => {
        audio.addEventListener("loadedmetadata", () => resolve(audio.duration));
        audio.addEventListener("error", () => reject(new Error(audio.error?.message)));
        audio.load();
        audio.preload = "metadata";
        audio.load();
      }),
  );
  expect(seconds).toBeCloseTo(0.1, 2);
  const media = `${dashboard.url}/calls/${id}/media/0`;
  const part = await request.get(media, { headers: { range: "bytes=0-3" } });
  expect([part.status(), (await part.body()).toString(), part.headers()["content-range"]]).toEqual([
    206,
    "RIFF",
    `bytes 0-3/${WAV.length}`,
  ]);
  expect((await request.get(media, { headers: { "sec-fetch-site": "cross-site" } })).status()).toBe(403);
  expect((await request.get(`${dashboard.url}/calls/${id}/media/1`)).status()).toBe(404);
  await page.getByTestId("parent").click();
  await expect(page).toHaveURL(new RegExp(`/sessions/${voice.session.id}`));
});

test("a call exported as a recording decodes to the usage, the lines and the cost of its page", async ({ page }) => {
  const calls = await dashboard.database.sql`
    select id, coalesce((select sum(cost_usd)::text from usage_lines where call_id = calls.id), '0') as cost, input_tokens, output_tokens
    from calls where endpoint in ('chat_completions', 'realtime') order by id`;
  const folder = mkdtempSync(join(tmpdir(), "omnimeter-export-"));
  try {
    for (const { id } of calls) {
      await page.goto(`${dashboard.url}/calls/${id}`);
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("recording").click()]);
      const response = await page.request.get(`${dashboard.url}/calls/${id}/recording`);
      expect(download.suggestedFilename()).toMatch(/\.json$/);
      writeFileSync(join(folder, `${id}.json`), await response.text());
    }
    const printed = execFileSync(process.execPath, ["lib/recorder/decode-files.ts", folder], { encoding: "utf8" });
    const decoded = printed
      .trim()
      .split("\n")
      .map((one) => JSON.parse(one));
    expect(decoded).toHaveLength(calls.length);
    for (const [i, line] of decoded.entries()) {
      const { cost, input_tokens, output_tokens } = calls[i] as (typeof calls)[number];
      const { usage, cost_usd } = line.responses?.[0] ?? line;
      expect([usage.input_tokens, usage.output_tokens, Number(cost_usd)]).toEqual([
        input_tokens,
        output_tokens,
        Number(cost),
      ]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
