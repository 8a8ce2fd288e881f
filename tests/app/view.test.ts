import { describe, expect, it } from "vitest";
import { valueName } from "#app/_frame/filter-bar.tsx";
import { formatFilter, parseFilter, toggled } from "#app/_frame/filter-text.ts";
import { rangeReaching } from "#app/_frame/range-name.ts";
import { hrefOf, readView } from "#app/_frame/view.ts";

const now = Date.parse("2026-11-20T12:34:56Z");

describe("filters in the URL", () => {
  it.each([
    "feature:search,chat",
    "feature:search;model:gpt-4o-2024-08-06;status:failed,client_aborted",
    "feature:",
    "feature:,chat",
    "endpoint:chat_completions;modality:audio,;latency:duration%3a1024..2048,own%3a..64",
  ])("%j reads and writes the same", (text) => expect(formatFilter(parseFilter(text).filter)).toBe(text));
  it("any name survives", () => {
    for (const name of ["Café — «α»", "a,b;c:d!e%2c", "%", "", " ", "a=b&c#d"]) {
      const text = formatFilter({ feature: [name], customer: [name, "x"] });
      expect(parseFilter(text)).toEqual({ filter: { feature: [name], customer: [name, "x"] }, notUnderstood: [] });
    }
  });
  it("says what it does not understand", () => {
    expect(parseFilter("feature:a;colour:red;status:failed,fine")).toEqual({
      filter: { feature: ["a"], outcome: ["failed"] },
      notUnderstood: ["colour:red", "status:fine"],
    });
  });
  it("moves a band of latency to the nearest edges, and refuses what is none", () => {
    const band = (text: string) => parseFilter(`latency:${text}`);
    expect(band("duration%3a1000..2000")).toEqual({ filter: { latency: ["duration:1024..2048"] }, notUnderstood: [] });
    expect(band("own%3a63..,own%3a64..").filter).toEqual({ latency: ["own:64.."] });
    expect(band("own%3a0.06..")).toEqual({ filter: { latency: ["own:0.0625.."] }, notUnderstood: [] });
    for (const wrong of [
      "duration%3a2000..1000",
      "duration%3a1000..1001",
      "mood%3a1..2",
      "duration",
      "duration%3a-5..5",
    ])
      expect(band(wrong)).toEqual({ filter: {}, notUnderstood: [`latency:${decodeURIComponent(wrong)}`] });
    expect(parseFilter("modality:smell,text")).toEqual({
      filter: { modality: ["text"] },
      notUnderstood: ["modality:smell"],
    });
  });
  it("has words for each value", () => {
    const name = (key: string, value: string) => valueName(key, value);
    expect(name("latency", "duration:1024..2048")).toBe("Duration 1.02 s to 2.05 s");
    expect(name("latency", "first_token:45.25..")).toBe("First token from 45 ms");
    expect(name("latency", "own:..0.0625")).toBe("Omnimeter's own below 0.063 ms");
    expect(name("latency", "duration:..")).toBe("Duration known");
    expect([name("modality", "audio"), name("modality", ""), name("endpoint", "responses")]).toEqual([
      "Audio",
      "none given",
      "Responses",
    ]);
  });
  it("a second click takes a value out again", () => {
    expect(toggled({ feature: ["a"] }, "feature", "b")).toEqual({ feature: ["a", "b"] });
    expect(toggled({ feature: ["a"], model: ["m"] }, "feature", "a")).toEqual({ model: ["m"] });
  });
});

describe("a view", () => {
  it("is the last 24 hours in the browser's zone, live", () => {
    const view = readView({}, "Asia/Kolkata", now);
    expect(view).toMatchObject({
      range: { text: "24h" },
      zone: "Asia/Kolkata",
      filter: {},
      cursor: null,
      live: true,
      complaints: [],
    });
    expect(hrefOf("/calls", view)).toBe("/calls");
  });
  it("keeps everything in its address", () => {
    const params = { r: "2026-10", tz: "Pacific/Chatham", f: "feature:Café — «α»;status:failed", live: "off" };
    const href = hrefOf("/calls", readView(params, "UTC", now));
    expect(Object.fromEntries(new URL(href, "http://x").searchParams)).toEqual(params);
  });
  it("goes back to the first page when the filter changes", () => {
    const before = "019a9f00-0000-7000-8000-000000000000";
    const view = readView({ before }, undefined, now);
    expect(view.cursor).toEqual({ before });
    expect(hrefOf("/calls", view, { filter: { model: ["m"] } })).toBe("/calls?f=model:m");
  });
  it("names what is wrong in an address and shows something all the same", () => {
    const view = readView({ r: "soon", tz: "Mars/Olympus", before: "1 or 1=1" }, undefined, now);
    expect(view.complaints).toHaveLength(2);
    expect(view).toMatchObject({ zone: "UTC", cursor: null, range: { text: "24h" } });
  });
});

it("the nearest range with data is the shortest offered one that reaches it", () => {
  expect(rangeReaching(now - 60_000, "UTC", now)).toBe("1h");
  expect(rangeReaching(now - 3 * 86_400_000, "UTC", now)).toBe("7d");
  expect(rangeReaching(Date.parse("2026-03-31T23:00Z"), "Asia/Kolkata", now)).toBe("2026-04");
});
