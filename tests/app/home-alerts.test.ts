import { describe, expect, it } from "vitest";
import { readView } from "#app/_frame/view.ts";
import { alertItems } from "#app/(home)/alert-items.ts";
import { liveIds } from "#app/(home)/live-ids.ts";
import type { AlertRule } from "#db/queries/settings-page.ts";
import type { AlertWish } from "#lib/alert.ts";

const NOW = Date.parse("2026-06-10T16:00:00Z");
const MINUTE = 60_000;
const ago = (minutes: number) => new Date(NOW - minutes * MINUTE);

const rule = (id: string, over: Partial<AlertRule> = {}): AlertRule => ({
  id,
  measure: "error_rate",
  scope: {},
  threshold: 0.05,
  windowMinutes: 60,
  enabled: true,
  createdAt: ago(60),
  checkedAt: ago(0),
  value: 0.01,
  calls: 812,
  problem: null,
  alert: null,
  ...over,
});
/** Open for two hours unless told otherwise. */
const open = (id: string, wish: Partial<AlertWish> = {}, lastValue = 0.12, minutes = 115): AlertRule =>
  rule(id, {
    ...wish,
    value: lastValue,
    alert: { id: `a${id}`, openedAt: ago(minutes), lastValue, worstValue: lastValue, calls: 812 },
  });
const itemsOf = (rules: AlertRule[], checkedMs: number | null = NOW) =>
  alertItems({ rules, checkedMs }, readView({}, "UTC", NOW));

it("no rule and no open alert need nothing", () => {
  expect(itemsOf([], null)).toEqual([]);
  expect(
    itemsOf([rule("1"), rule("2", { value: null, calls: 3 }), rule("3", { checkedAt: null, value: null })]),
  ).toEqual([]);
});

describe("an open alert", () => {
  it("is urgent, in a sentence that says what, how much and since when", () =>
    expect(itemsOf([open("1", { scope: { feature: "chat" } })])).toEqual([
      {
        key: "alert-1",
        weight: "bad",
        sentence: "Error rate of chat is 12 %, above your 5 % since 14:05 UTC (n 812).",
        href: "/calls?r=6h&f=feature:chat;status:failed,truncated,unreachable,interrupted",
      },
    ]));
  it.each([
    [
      { measure: "p95_first_token", scope: { feature: "chat", modality: "text" } },
      2900,
      "/latency?r=6h&f=feature:chat;modality:text&m=first_token",
    ],
    [{ measure: "p95_first_audio" }, 2900, "/latency?r=6h&m=first_audio"],
    [{ measure: "p95_duration", scope: { model: "gpt-4o" } }, 2900, "/latency?r=6h&f=model:gpt-4o&m=duration"],
    [
      { measure: "spend_per_day", scope: { feature: "chat" } },
      25,
      "/spend?r=2026-06-10..2026-06-11&tz=UTC&f=feature:chat",
    ],
    [{ measure: "unpriced_calls", windowMinutes: 10_080 }, 12, "/calls?r=30d&f=cost:unpriced"],
    [{ measure: "data_lag" }, 120, "/settings#alerts"],
  ] as [Partial<AlertWish>, number, string][])("of %j leads to what it is about", (wish, value, href) =>
    expect(itemsOf([open("1", { threshold: 1, ...wish }, value)])[0]?.href).toBe(href),
  );
  it("shows its first window too, in the shortest of the usual ranges", () => {
    const rangeOf = (windowMinutes: number, minutes: number) =>
      new URL(itemsOf([open("1", { windowMinutes }, 1, minutes)])[0]?.href as string, "http://d").searchParams.get("r");
    expect(rangeOf(5, 55)).toBe("1h");
    expect(rangeOf(5, 56)).toBe("6h");
    // A day is what an address without a range means.
    expect(rangeOf(60, 23 * 60)).toBe(null);
    expect(rangeOf(60, 23 * 60 + 1)).toBe("7d");
    expect(rangeOf(60, 400 * 1440)).toBe("90d");
  });
  it("is one of four at most, the newest; the rest is counted", () => {
    const many = (n: number) => Array.from({ length: n }, (_, i) => open(String(i)));
    expect(itemsOf(many(4)).map(({ key }) => key)).toEqual(["alert-0", "alert-1", "alert-2", "alert-3"]);
    const items = itemsOf(many(6));
    expect(items.map(({ key }) => key)).toEqual(["alert-0", "alert-1", "alert-2", "alerts-more"]);
    expect(items[3]?.sentence).toBe("3 more alerts are open.");
  });
});

describe("rules that are not looked at", () => {
  it.each([
    [5, undefined],
    [5.01, "Since 15:54 UTC, 2 alert rules could not be checked: is the recorder running?"],
  ])("for %d minutes are told after five", (minutes, sentence) =>
    expect(itemsOf([rule("1"), rule("2"), rule("3", { enabled: false })], NOW - minutes * MINUTE)[0]?.sentence).toBe(
      sentence,
    ),
  );
  it("since they were made, when no recorder has ever checked any", () => {
    expect(itemsOf([rule("1", { createdAt: ago(4), checkedAt: null })], null)).toEqual([]);
    expect(itemsOf([rule("1", { createdAt: ago(10), checkedAt: null })], null)[0]).toMatchObject({
      weight: "warn",
      sentence: "Since 15:50 UTC, 1 alert rule could not be checked: is the recorder running?",
    });
  });
  it("are of no interest when they are off", () =>
    expect(itemsOf([rule("1", { enabled: false, problem: "old" })], NOW - 60 * MINUTE)).toEqual([]));
  it("and those that fail are told with the reason", () =>
    expect(itemsOf([rule("1", { problem: "it took longer than 2 s", value: null })])[0]).toMatchObject({
      key: "alerts-failing",
      sentence: "1 alert rule could not be checked: it took longer than 2 s.",
      href: "/settings#alerts",
    }));
});

it("an alert that opens or closes makes an open page new, except while the first call is waited for", () => {
  expect(liveIds(["c1"], ["b", "a"])).toEqual(["c1", "a", "b"]);
  expect(liveIds(["c1"], ["a", "b"])).toEqual(liveIds(["c1"], ["b", "a"]));
  expect(liveIds([], ["a"])).toEqual([]);
});
