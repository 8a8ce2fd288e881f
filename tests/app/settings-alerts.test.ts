import { describe, expect, it } from "vitest";
import { alertSentence, conditionOf, formatAlertValue, formatThreshold, subjectOf } from "#app/settings/alert-words.ts";
import { answerForm } from "#app/settings/alerts/answer-form.ts";
import { POST } from "#app/settings/alerts/route.ts";
import { ALERT_PROBLEMS } from "#app/settings/problems.ts";
import { readWish } from "#app/settings/read-wish.ts";
import { stateOf } from "#app/settings/rule-state.tsx";
import { readSaid } from "#app/settings/said.ts";
import { parseThreshold } from "#app/settings/threshold.ts";
import type { AlertRule } from "#db/queries/settings-page.ts";
import { ALERT_MEASURES, standingOf } from "#lib/alert.ts";
import { seeded } from "#tests/support/split.ts";

const NOW = Date.parse("2026-06-10T16:00:00Z");
const ago = (minutes: number) => new Date(NOW - minutes * 60_000);

describe("a threshold", () => {
  it.each([
    ["p95_duration", "2 s", 2000],
    ["p95_duration", "2s", 2000],
    ["p95_duration", " 850 MS ", 850],
    ["p95_duration", "1.5 min", 90_000],
    ["p95_duration", ".5 s", 500],
    ["p95_duration", "0 s", 0],
    ["data_lag", "5 min", 300],
    ["data_lag", "60 s", 60],
    ["data_lag", "1 h", 3600],
    ["error_rate", "5 %", 0.05],
    ["error_rate", "5", 0.05],
    ["error_rate", "0.1%", 0.001],
    ["error_rate", "100 %", 1],
    ["spend_per_day", "$20", 20],
    ["spend_per_day", "20 USD", 20],
    ["spend_per_day", "12.5", 12.5],
    ["unpriced_calls", "10 calls", 10],
    ["unpriced_calls", "-0", 0],
  ] as const)("of %s: %s is %d", (measure, text, value) => expect(parseThreshold(measure, text)).toBe(value));

  it.each([
    ["p95_duration", "2", "alert_bad_threshold"],
    ["p95_duration", "", "alert_bad_threshold"],
    ["p95_duration", "soon", "alert_bad_threshold"],
    ["p95_duration", "2,5 s", "alert_bad_threshold"],
    ["p95_duration", "1e3 ms", "alert_bad_threshold"],
    ["p95_duration", "NaN s", "alert_bad_threshold"],
    ["p95_duration", "Infinity s", "alert_bad_threshold"],
    ["p95_duration", "5 %", "alert_bad_threshold"],
    ["p95_duration", "2 toString", "alert_bad_threshold"],
    ["error_rate", "5 constructor", "alert_bad_threshold"],
    ["error_rate", "5 s", "alert_bad_threshold"],
    ["spend_per_day", "$20 USD", "alert_bad_threshold"],
    ["p95_duration", "-2 s", "alert_negative_threshold"],
    ["spend_per_day", "-$5", "alert_negative_threshold"],
    ["spend_per_day", "$−5", "alert_negative_threshold"],
    ["error_rate", "101 %", "alert_threshold_too_large"],
    ["p95_duration", "86401 s", "alert_threshold_too_large"],
    ["unpriced_calls", "999999999999999", "alert_threshold_too_large"],
  ] as const)("of %s: %j is refused as %s", (measure, text, code) => expect(parseThreshold(measure, text)).toBe(code));

  it("is written as it can be typed again", () => {
    const random = seeded(4);
    for (let i = 0; i < 2000; i++) {
      const { name, unit } = ALERT_MEASURES[
        Math.floor(random() * ALERT_MEASURES.length)
      ] as (typeof ALERT_MEASURES)[number];
      const digits = Math.floor(random() * 100_000);
      const value =
        unit === "share" ? digits / 100_000 : unit === "calls" ? digits : digits / 10 ** Math.floor(random() * 4);
      expect(parseThreshold(name, formatThreshold(name, value)), `${name} ${value}`).toBe(value);
    }
    expect(formatThreshold("spend_per_day", 1e-7)).toBe("0.0000001 USD");
    expect(formatThreshold("error_rate", 1e-9)).toBe("0.0000001 %");
    expect(formatThreshold("unpriced_calls", 1e9)).toBe("1000000000 calls");
  });
});

describe("where a value stands", () => {
  it.each([
    [null, 10, "unknown"],
    [10.1, 10, "above"],
    [10, 10, "between"],
    [9.1, 10, "between"],
    [9, 10, "below"],
    [0, 0, "below"],
    [1, 0, "above"],
  ] as const)("%s at a threshold of %d: %s", (value, threshold, standing) =>
    expect(standingOf(value, threshold)).toBe(standing),
  );
});

describe("a form for a rule", () => {
  const form = {
    measure: "error_rate",
    threshold: "5 %",
    window: "60",
    feature: "",
    model: "",
    environment: "",
    modality: "",
  };
  it("gives the rule; empty fields are all calls", () => {
    expect(readWish(form)).toEqual({ measure: "error_rate", threshold: 0.05, windowMinutes: 60, scope: {} });
    expect(readWish({ ...form, feature: " Café — «α» ", modality: "audio" })).toMatchObject({
      scope: { feature: "Café — «α»", modality: "audio" },
    });
  });
  it("keeps no window where it has no meaning", () =>
    expect(readWish({ measure: "spend_per_day", threshold: "$5" })).toMatchObject({ windowMinutes: 1440 }));
  it.each([
    [{ measure: "p42" }, ["alert_unknown_measure"]],
    [{ measure: undefined }, ["alert_unknown_measure"]],
    [{ measure: ["error_rate"] }, ["alert_unknown_measure"]],
    [{ window: "0" }, ["alert_bad_window"]],
    [{ window: "10081" }, ["alert_bad_window"]],
    [{ window: "1.5" }, ["alert_bad_window"]],
    [{ window: "" }, ["alert_bad_window"]],
    [{ feature: "x".repeat(201) }, ["alert_bad_scope"]],
    [{ model: "a\u0000b" }, ["alert_bad_scope"]],
    [{ environment: "a\ud800b" }, ["alert_bad_scope"]],
    [{ modality: "smell" }, ["alert_bad_scope"]],
    [{ measure: "data_lag", threshold: "60 s", feature: "chat" }, ["alert_scope_without_meaning"]],
    [{ measure: "spend_per_day", threshold: "$5", modality: "audio" }, ["alert_scope_without_meaning"]],
    [{ measure: "unpriced_calls", threshold: "1", modality: "text" }, ["alert_scope_without_meaning"]],
    [
      { threshold: "many", window: "x", modality: "smell" },
      ["alert_bad_threshold", "alert_bad_window", "alert_bad_scope"],
    ],
  ])("with %j is refused with every reason", (over, codes) => expect(readWish({ ...form, ...over })).toEqual(codes));
  it("may have a window of a minute, and of seven days", () => {
    expect(readWish({ ...form, window: "1" })).toMatchObject({ windowMinutes: 1 });
    expect(readWish({ ...form, window: "10080" })).toMatchObject({ windowMinutes: 10_080 });
  });
});

describe("the answer to a form", () => {
  const browser = new Headers({
    accept: "text/html",
    referer: "http://127.0.0.1:3000/settings?tz=Asia/Tokyo&done=on#x",
  });
  const program = new Headers({ accept: "application/json" });
  it("leads back with what was done", () => {
    const answer = answerForm(browser, {}, { done: "added", rule: "1" });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/settings?tz=Asia%2FTokyo&done=added#alerts");
  });
  it("leads back with what is wrong and what was typed, which the page reads again", () => {
    const fields = { do: "add", measure: "error_rate", threshold: "5 & more", window: "60", secret: "x" };
    const answer = answerForm(browser, fields, { problems: ["alert_bad_threshold"] });
    const { searchParams, hash } = new URL(answer.headers.get("location") as string, "http://d");
    expect(hash).toBe("#add-rule");
    expect(readSaid(Object.fromEntries(searchParams))).toEqual({
      done: null,
      problems: ["alert_bad_threshold"],
      typed: { do: "add", measure: "error_rate", threshold: "5 & more", window: "60" },
    });
    expect(searchParams.has("secret")).toBe(false);
  });
  it("gives back the beginning of what is very long", () => {
    const fields = { do: "add", threshold: "«".repeat(100_000), feature: "x".repeat(100_000) };
    const answer = answerForm(browser, fields, { problems: ["alert_bad_threshold"] });
    const address = answer.headers.get("location") as string;
    expect(address.length).toBeLessThan(4000);
    expect(readSaid(Object.fromEntries(new URL(address, "http://d").searchParams)).typed).toEqual({
      do: "add",
      threshold: "«".repeat(300),
      feature: "x".repeat(300),
    });
  });
  it.each([
    ["alert_bad_threshold", 400],
    ["alert_unknown_rule", 404],
    ["alert_too_many", 409],
  ] as const)("is %s with status %i for a program", async (code, status) => {
    const answer = answerForm(program, {}, { problems: [code] });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ error: { code, message: ALERT_PROBLEMS[code].sentence } });
  });
  it("shows only sentences of ours, whatever the address says", () =>
    expect(readSaid({ done: "toString", problem: "your password is wrong,alert_bad_window,alert_bad_window" })).toEqual(
      {
        done: null,
        problems: ["alert_bad_window"],
        typed: {},
      },
    ));
  it("sentences end as sentences do", () => {
    for (const { sentence } of Object.values(ALERT_PROBLEMS)) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });
});

describe("the route", () => {
  const post = (headers: Record<string, string>, body: string) =>
    POST(
      new Request("http://127.0.0.1:3000/settings/alerts", {
        method: "POST",
        body,
        headers: { host: "127.0.0.1:3000", ...headers },
      }),
    );
  const form = { "content-type": "application/x-www-form-urlencoded" };
  it("takes nothing from a page elsewhere", async () => {
    const answer = await post({ ...form, origin: "http://evil.example" }, "do=delete");
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: "alert_foreign_origin" } });
  });
  it.each([
    ["text/plain", "do=add", 415, "alert_bad_type"],
    ["application/json", "[]", 400, "alert_bad_json"],
    ["application/json", "x".repeat(300_000), 413, "alert_too_large"],
  ])("refuses %s %.6s", async (type, body, status, code) => {
    const answer = await post({ "content-type": type }, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });
});

const rule = (over: Partial<AlertRule> = {}): AlertRule => ({
  id: "0197-a",
  measure: "p95_first_token",
  scope: { feature: "support-chat" },
  threshold: 2000,
  windowMinutes: 60,
  enabled: true,
  createdAt: ago(9999),
  checkedAt: ago(0),
  value: 2900,
  calls: 812,
  problem: null,
  alert: { id: "1", openedAt: ago(115), lastValue: 2900, worstValue: 4100, calls: 812 },
  ...over,
});

describe("words", () => {
  it("of values are short and exact", () => {
    expect(formatAlertValue("p95_duration", 2000)).toBe("2 s");
    expect(formatAlertValue("p95_duration", 2050)).toBe("2.05 s");
    expect(formatAlertValue("p95_duration", 2900)).toBe("2.9 s");
    expect(formatAlertValue("p95_duration", 850)).toBe("850 ms");
    expect(formatAlertValue("data_lag", 60)).toBe("1 m");
    expect(formatAlertValue("data_lag", 7200)).toBe("2 h");
    expect(formatAlertValue("error_rate", 0.0005)).toBe("0.05 %");
    expect(formatAlertValue("error_rate", 0.9999)).toBe("> 99.9 %");
    expect(formatAlertValue("error_rate", null)).toBe("—");
    expect(formatAlertValue("unpriced_calls", 0)).toBe("0");
  });
  it("of a rule name what it is about", () => {
    const scope = { feature: "chat", model: "gpt-4o", environment: "production", modality: "audio" } as const;
    expect(subjectOf({ measure: "p95_duration", scope })).toBe("p95 duration of chat on gpt-4o in production (audio)");
    expect(conditionOf(rule({ windowMinutes: 10_080 }))).toBe("above 2 s over 7 days");
    expect(conditionOf(rule({ measure: "data_lag", threshold: 90, scope: {} }))).toBe("above 1 m 30 s");
  });
  it("of an open alert say what, how much and since when", () =>
    expect(alertSentence(rule(), NOW, "UTC")).toBe(
      "p95 time to first token of support-chat is 2.9 s, above your 2 s since 14:05 UTC (n 812).",
    ));
  it("name the day of one that is older", () =>
    expect(
      alertSentence(
        rule({ alert: { id: "1", openedAt: ago(3000), lastValue: 2900, worstValue: 1, calls: 5 } }),
        NOW,
        "Asia/Kolkata",
      ),
    ).toContain("since 8 Jun 19:30 UTC+05:30"));
  it("say that it is not known any more", () =>
    expect(alertSentence(rule({ value: null, calls: 3 }), NOW, "UTC")).toBe(
      "p95 time to first token of support-chat was 2.9 s, above your 2 s since 14:05 UTC (n 812); not enough calls now (n 3, it takes 100).",
    ));
  it("say when it is over, of one that has come back below", () =>
    expect(
      alertSentence(
        rule({ value: 1900, alert: { id: "1", openedAt: ago(115), lastValue: 1900, worstValue: 4100, calls: 90 } }),
        NOW,
        "UTC",
      ),
    ).toBe(
      "p95 time to first token of support-chat is 1.9 s (n 90), and went above your 2 s at 14:05 UTC; it is over at 1.8 s.",
    ));
});

describe("the state of a rule", () => {
  const of = (over: Partial<AlertRule>) =>
    stateOf(rule({ alert: null, value: 100, ...over }), { nowMs: NOW, zone: "UTC" }).words;
  it.each([
    [{ enabled: false }, "off"],
    [{ checkedAt: null }, "not checked yet"],
    [{}, "ok"],
    [{ value: null, calls: 12 }, "not enough calls now (n 12, it takes 100)"],
    [{ value: null, problem: "it took too long" }, "could not be checked: it took too long"],
    [{ checkedAt: ago(6) }, "not checked since 15:54 UTC: is the recorder running?"],
    [{ measure: "data_lag", value: null, calls: null }, "nothing of this time is stored yet"],
    [{ alert: rule().alert, value: 2900 }, "above since 14:05 UTC"],
    [{ alert: rule().alert, value: 1900 }, "open since 14:05 UTC; over at 1.8 s"],
    [{ alert: rule().alert, value: null, calls: 9 }, "above since 14:05 UTC; not enough calls now (n 9, it takes 100)"],
  ] as [Partial<AlertRule>, string][])("%j: %s", (over, words) => expect(of(over)).toBe(words));
});
