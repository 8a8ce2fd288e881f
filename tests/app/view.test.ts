import { describe, expect, it } from "vitest";
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
