import { describe, expect, it } from "vitest";
import {
  cutIntoBuckets,
  formatRange,
  isZone,
  msToWall,
  parseRange,
  type Range,
  resolveRange,
  wallToMs,
} from "#lib/range.ts";

const HOUR_MS = 3_600_000;
const at = (iso: string) => Date.parse(iso);
const range = (text: string) => parseRange(text) as Range;
const iso = (ms: number) => new Date(ms).toISOString();
const moments = (text: string, zone: string, now = "2026-11-20T12:34:56Z") => {
  const interval = resolveRange(range(text), zone, at(now));
  return interval && [iso(interval.fromMs), iso(interval.toMs)];
};

describe("a range in the URL", () => {
  it.each([
    "15m",
    "1h",
    "3h",
    "24h",
    "7d",
    "30d",
    "2026-10",
    "2026-10-01..2026-10-15",
    "2026-10-01T14:00..2026-10-01T15:30",
  ])("%s reads and writes the same", (text) => expect(formatRange(range(text))).toBe(text));

  it("keeps moments to the millisecond", () => {
    expect(formatRange(range("2026-10-01T14:00:00.250Z..2026-10-01T15:00Z"))).toBe(
      "2026-10-01T14:00:00.250Z..2026-10-01T15:00Z",
    );
    expect(formatRange(range("2026-10-01T14:00+05:30..2026-10-02T00:00Z"))).toBe(
      "2026-10-01T08:30Z..2026-10-02T00:00Z",
    );
    // A plus sign that nobody escaped.
    expect(parseRange("2026-10-01T14:00 05:30..2026-10-02T00:00Z")).toEqual(
      range("2026-10-01T14:00+05:30..2026-10-02T00:00Z"),
    );
  });

  it.each([
    "",
    "h",
    "0h",
    "-1h",
    "99999h",
    "2026-13",
    "2026-00",
    "2026-02-30..2026-03-01",
    "2026-10-01T25:00..2026-10-03",
    "..",
    "a..b",
    "24h..",
    "1..2..3",
  ])("%j is none", (text) => expect(parseRange(text)).toBeNull());

  it("ends after it begins", () => expect(moments("2026-10-02..2026-10-01", "UTC")).toBeNull());
  it("counts back from now", () =>
    expect(moments("24h", "Asia/Kolkata")).toEqual(["2026-11-19T12:34:56.000Z", "2026-11-20T12:34:56.000Z"]));
});

describe("a month is the zone's own", () => {
  it.each([
    ["UTC", "2026-10-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z"],
    ["Asia/Kolkata", "2026-09-30T18:30:00.000Z", "2026-10-31T18:30:00.000Z"],
    ["Pacific/Chatham", "2026-09-30T10:15:00.000Z", "2026-10-31T10:15:00.000Z"],
  ])("%s", (zone, from, to) => expect(moments("2026-10", zone)).toEqual([from, to]));

  it("is an hour longer or shorter when clocks change in New York", () => {
    const hours = (text: string) => {
      const interval = resolveRange(range(text), "America/New_York", 0);
      return interval && (interval.toMs - interval.fromMs) / HOUR_MS;
    };
    expect(hours("2026-03")).toBe(31 * 24 - 1);
    expect(hours("2026-11")).toBe(30 * 24 + 1);
  });
});

describe("wall clock and moment", () => {
  const wall = (text: string) => at(`${text}Z`);
  it("takes the first of two equal times, and jumps over a skipped one", () => {
    expect(iso(wallToMs(wall("2026-11-01T01:30"), "America/New_York"))).toBe("2026-11-01T05:30:00.000Z");
    expect(iso(wallToMs(wall("2026-03-08T02:30"), "America/New_York"))).toBe("2026-03-08T07:30:00.000Z");
    expect(iso(wallToMs(wall("2026-04-05T03:00"), "Pacific/Chatham"))).toBe("2026-04-04T13:15:00.000Z");
  });
  it.each(["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Chatham", "Australia/Lord_Howe"])(
    "%s there and back",
    (zone) => {
      for (let ms = at("2026-01-01T00:00Z"); ms < at("2027-01-01T00:00Z"); ms += 7 * HOUR_MS) {
        const back = wallToMs(msToWall(ms, zone), zone);
        // Within the repeated hour the first coming is meant.
        expect(ms - back === 0 || (ms - back <= HOUR_MS && msToWall(back, zone) === msToWall(ms, zone))).toBe(true);
      }
    },
  );
  it("knows zones by name", () => {
    expect(isZone("Pacific/Chatham")).toBe(true);
    expect(isZone("Mars/Olympus")).toBe(false);
    expect(isZone("")).toBe(false);
  });
});

describe("buckets", () => {
  const cut = (text: string, zone: string, most?: number) =>
    cutIntoBuckets(resolveRange(range(text), zone, at("2026-11-20T12:34:56Z")) ?? { fromMs: 0, toMs: 1 }, zone, most);

  it.each([
    ["15m", "5 seconds"],
    ["1h", "30 seconds"],
    ["3h", "minute"],
    ["24h", "15 minutes"],
    ["7d", "hour"],
    ["30d", "6 hours"],
    ["365d", "week"],
  ])("%s is cut by %s", (text, width) => expect(cut(text, "UTC").width.name).toBe(width));

  it.each(["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Chatham", "Australia/Lord_Howe"])(
    "cover the range without gap or overlap, at most 200 of them, in %s",
    (zone) => {
      for (const text of [
        "15m",
        "1h",
        "3h",
        "24h",
        "7d",
        "30d",
        "2026-03",
        "2026-04",
        "2026-10",
        "2026-11",
        "365d",
        "3000d",
      ]) {
        const interval = resolveRange(range(text), zone, at("2026-11-20T12:34:56Z"));
        const { edges, width } = cut(text, zone);
        expect([edges[0], edges.at(-1)]).toEqual([interval?.fromMs, interval?.toMs]);
        expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
        expect(edges.length).toBeLessThanOrEqual(201);
        // Rollups hold quarters of an hour: every cut of 15 minutes or more falls between two of them.
        if (width.ms >= 900_000) for (const edge of edges.slice(1, -1)) expect(edge % 900_000).toBe(0);
      }
    },
  );

  it("days have 23 and 25 hours when New York changes its clocks", () => {
    const lengths = (text: string) => {
      const { edges } = cut(text, "America/New_York", 40);
      return edges.slice(1).map((edge, i) => (edge - (edges[i] ?? 0)) / HOUR_MS);
    };
    expect(lengths("2026-03").filter((hours) => hours !== 24)).toEqual([23]);
    expect(lengths("2026-11").filter((hours) => hours !== 24)).toEqual([25]);
  });

  it("start at local midnight where that is not a round UTC hour", () => {
    const { edges } = cut("2026-10-01..2026-10-31", "Pacific/Chatham", 40);
    expect(new Set(edges.map((edge) => msToWall(edge, "Pacific/Chatham") % (24 * HOUR_MS)))).toEqual(new Set([0]));
  });
});
