import { describe, expect, it } from "vitest";
import { readView } from "#app/_frame/view.ts";
import { cellColumns, percentileColumns } from "#app/latency/cuts.ts";
import { changeText } from "#app/latency/figures.tsx";
import { heatPaths, legendOf, linePath, PLOT, plotOf, stepOf, yOf } from "#app/latency/heat-geometry.ts";
import { latencyHref, toLatencyView, weekBefore } from "#app/latency/latency-view.ts";
import { selectionHref } from "#app/latency/links.ts";
import { headlineOf } from "#app/latency/metrics.ts";
import {
  countIn,
  formatSelection,
  parseSelection,
  type Selection,
  selectionOf,
  snapped,
} from "#app/latency/selection.ts";
import { boundsText } from "#app/latency/selection-text.ts";
import { latencyTicks, timeTicks } from "#app/latency/ticks.ts";
import type { Strip } from "#db/queries/latency-page.ts";
import { edgeMs } from "#lib/latency.ts";
import { seeded } from "#tests/support/split.ts";

const NOW = Date.parse("2026-11-20T15:00Z");
const AT = Date.parse("2026-11-20T14:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const view = (query: string, zone = "UTC", nowMs = NOW) => {
  const params = Object.fromEntries(new URLSearchParams(query));
  return toLatencyView(readView(params, zone, nowMs), params);
};

describe("the page's address", () => {
  it.each([
    "",
    "?r=7d&tz=Asia/Kolkata&f=feature:a,b;modality:audio&m=own&p=99",
    "?m=first_token",
    "?p=50",
    "?sel=2026-11-20T14:05Z..2026-11-20T14:20Z,1024..2048,text",
    "?sel=2026-11-20T14:05Z..2026-11-20T14:20:15Z,..64",
  ])("%s reads and writes the same", (query) => {
    const read = view(query);
    expect(read.complaints).toEqual([]);
    expect(latencyHref(read)).toBe(`/latency${query}`);
  });
  it("leaves out what is the default, and what is taken back", () => {
    expect(latencyHref(view("p=95&m=&sel="))).toBe("/latency");
    expect(latencyHref(view("m=own&p=99"), { metric: null, rank: 95 })).toBe("/latency");
    expect(latencyHref(view("m=own"), { filter: { modality: ["text"] } })).toBe("/latency?f=modality:text&m=own");
  });
  it("its own parts stay on this page", () => {
    expect(selectionHref(view("r=7d&m=own&f=feature:a"), "text", "own", at(AT, AT + 5 * MINUTE, 1024, 2048))).toBe(
      "/calls?r=2026-11-20T14:00Z..2026-11-20T14:05Z&f=feature:a;modality:text;latency:own%253a1024..2048",
    );
  });
  it("says what it does not understand, and shows the rest", () => {
    const read = view("m=speed&p=96&sel=yesterday&f=feature:a");
    expect(read.complaints).toEqual([
      "There is no metric “speed”; each modality has its own.",
      "The percentile “96” is not told, only 50, 95 and 99; this is 95.",
      "The selection “yesterday” is not understood: two moments and two numbers of milliseconds are.",
    ]);
    expect(read).toMatchObject({ metric: null, rank: 95, selection: null, filter: { feature: ["a"] } });
  });
  it("the week before ends where the range has come to", () => {
    const from = NOW - 24 * HOUR - 168 * HOUR;
    expect(weekBefore(view("r=24h"))).toEqual({ fromMs: from, toMs: NOW - 168 * HOUR });
    // Of a month that runs, what has passed of it.
    expect(weekBefore(view("r=2026-11"))).toEqual({ fromMs: Date.UTC(2026, 9, 25), toMs: NOW - 168 * HOUR });
    expect(weekBefore(view("r=2026-10")).toMs).toBe(Date.UTC(2026, 9, 25));
  });
});

const at = (fromMs: number, toMs: number, lowMs: number | null, highMs: number | null): Selection => ({
  fromMs,
  toMs,
  lowMs,
  highMs,
  modality: null,
});
const parsed = (text: string, zone = "UTC") => parseSelection(text, zone, ["text", "image", "audio"]);
const grid = {
  edges: [AT + 17, AT + 5 * MINUTE, AT + 10 * MINUTE, AT + 15 * MINUTE],
  // 1 s, 1.19 s, 1.41 s, 1.68 s, 2 s
  rowEdgesMs: [40, 41, 42, 43, 44].map(edgeMs),
};

describe("a selection", () => {
  it("is two moments and two bounds, either of which may be open", () => {
    expect(parsed("2026-11-20T14:05Z..2026-11-20T14:20Z,1000..2000")).toEqual(
      at(AT + 5 * MINUTE, AT + 20 * MINUTE, 1000, 2000),
    );
    expect(parsed("2026-11-20T14:05Z..2026-11-20T14:20Z,..0.5")).toMatchObject({ lowMs: null, highMs: 0.5 });
    expect(parsed("2026-11-20T14:05Z..2026-11-20T14:20Z,..,audio")).toMatchObject({ modality: "audio", highMs: null });
    // Without a zone it is the page's.
    expect(parsed("2026-11-20T19:35..2026-11-20T19:50,1000..", "Asia/Kolkata")).toMatchObject({
      fromMs: AT + 5 * MINUTE,
    });
  });
  it.each([
    "",
    "1000..2000",
    "24h,1000..2000",
    "2026-11-20T14:20Z..2026-11-20T14:05Z,1000..2000",
    "2026-11-20T14:05Z..2026-11-20T14:20Z",
    "2026-11-20T14:05Z..2026-11-20T14:20Z,2000..1000",
    "2026-11-20T14:05Z..2026-11-20T14:20Z,1000..1000",
    "2026-11-20T14:05Z..2026-11-20T14:20Z,-5..1000",
    "2026-11-20T14:05Z..2026-11-20T14:20Z,1e3..2e3",
    "2026-11-20T14:05Z..2026-11-20T14:20Z,1000..2000,video",
    "2026-11-20T14:05Z..2026-11-20T14:20Z,1000..2000,text,more",
  ])("%j is none", (text) => expect(parsed(text)).toBeNull());
  it("moves to the nearest edges, and outer rows have no outer bound", () => {
    const rectangle = snapped(grid, at(AT + 6 * MINUTE, AT + 9 * MINUTE, 1200, 1650));
    expect(rectangle).toEqual({ columns: [1, 1], rows: [1, 2] });
    const all = snapped(grid, at(AT, AT + 15 * MINUTE, null, null));
    expect(all).toEqual({ columns: [0, 2], rows: [0, 3] });
    expect(all && selectionOf(grid, all, null)).toEqual(at(AT + 17, AT + 15 * MINUTE, null, null));
  });
  it("smaller than a cell is the cell that holds it; outside of the range it is none", () => {
    expect(snapped(grid, at(AT + 6 * MINUTE, AT + 7 * MINUTE, 1030, 1060))).toEqual({ columns: [1, 1], rows: [0, 0] });
    expect(snapped(grid, at(AT - HOUR, AT, null, null))).toBeNull();
    expect(snapped(grid, at(AT + HOUR, AT + 2 * HOUR, null, null))).toBeNull();
    // Above all rows: the topmost.
    expect(snapped(grid, at(AT, AT + 5 * MINUTE, 90_000, 99_000))?.rows).toEqual([3, 3]);
  });
  it("of any rectangle is the same after it was written into an address", () => {
    const random = seeded(5);
    const fine = { ...grid, rowEdgesMs: Array.from({ length: 47 }, (_, i) => edgeMs(22 + i)) };
    for (let i = 0; i < 500; i++) {
      const draw = (cells: number) => {
        const [a, b] = [Math.floor(random() * cells), Math.floor(random() * cells)];
        return [Math.min(a, b), Math.max(a, b)] as const;
      };
      const rectangle = { columns: draw(3), rows: draw(46) };
      const again = parsed(formatSelection(selectionOf(fine, rectangle, "image")));
      expect(again && snapped(fine, again)).toEqual(rectangle);
    }
  });
  it("counts the calls of its cells, the edges' included", () => {
    const cells = [
      { column: 0, row: 0, n: 1 },
      { column: 1, row: 1, n: 20 },
      { column: 2, row: 3, n: 300 },
    ];
    expect(countIn(cells, { columns: [0, 1], rows: [0, 1] })).toBe(21);
    expect(countIn(cells, { columns: [1, 2], rows: [1, 3] })).toBe(320);
    expect(countIn(cells, { columns: [0, 0], rows: [1, 3] })).toBe(0);
  });
  it("is said in words", () => {
    expect(boundsText(at(AT, AT + 15 * MINUTE, 1024, 2048), "UTC")).toBe(
      "between 1.02 s and 2.05 s, from 20 Nov 14:00 to 14:15",
    );
    expect(boundsText(at(AT, AT + 24 * HOUR, 1024, null), "UTC")).toBe(
      "from 1.02 s up, from 20 Nov 14:00 to 21 Nov 14:00",
    );
    expect(boundsText(at(AT + 17, AT + 15_000, null, 64), "UTC")).toBe("below 64 ms, from 20 Nov 14:00 to 14:00:15");
  });
});

describe("columns", () => {
  it("of a heatmap are at most 200, and of long ranges whole quarters", () => {
    for (const range of ["15m", "1h", "3h", "6h", "12h", "24h", "7d", "30d", "2026-10"]) {
      const { edges, width } = cellColumns(view(`r=${range}`));
      expect(edges.length - 1).toBeLessThanOrEqual(200);
      if (!["15m", "1h", "3h", "6h"].includes(range)) expect(width.ms).toBeGreaterThanOrEqual(15 * MINUTE);
    }
  });
  it("of percentiles are as fine as half of the calls allow", () => {
    const day = view("r=2026-11-19..2026-11-20");
    const cells = cellColumns(day);
    expect(cells.edges).toHaveLength(97);
    const everywhere = (n: number) => cells.edges.slice(1).map(() => n);
    expect(percentileColumns(day, cells, everywhere(20)).width.name).toBe("15 minutes");
    expect(percentileColumns(day, cells, everywhere(10)).width.name).toBe("30 minutes");
    expect(percentileColumns(day, cells, everywhere(5)).width.name).toBe("hour");
    // Two busy quarters with 100 calls of 190: fine enough to see them.
    expect(
      percentileColumns(
        day,
        cells,
        everywhere(1).map((n, i) => (i < 2 ? 50 : n)),
      ).width.name,
    ).toBe("15 minutes");
    // Too few in any column: at least six columns are left.
    expect(percentileColumns(day, cells, everywhere(0).fill(1, 0, 3)).width.name).toBe("3 hours");
  });
});

describe("the heatmap's drawing", () => {
  const cells = [
    { column: 0, row: 1, n: 1 },
    { column: 1, row: 2, n: 49 },
  ];
  const fine = { ...grid, rowEdgesMs: Array.from({ length: 47 }, (_, i) => edgeMs(22 + i)) };
  it("leaves out durations that nobody had, and never cuts one that somebody had", () => {
    expect(plotOf(fine, [{ column: 0, row: 20, n: 1 }]).rows).toEqual([14, 26]);
    expect(
      plotOf(fine, [
        { column: 0, row: 0, n: 1 },
        { column: 0, row: 45, n: 1 },
      ]).rows,
    ).toEqual([0, 45]);
    expect(plotOf(fine, [{ column: 0, row: 45, n: 1 }]).rows[1]).toBe(45);
    expect(plotOf(fine, []).rows[1]).toBeLessThanOrEqual(45);
  });
  it("colours by the square root of the count", () => {
    expect([1, 2, 12, 13, 48, 49].map((n) => stepOf(n, 49))).toEqual([1, 2, 4, 4, 7, 7]);
    expect(stepOf(1, 1_000_000)).toBe(1);
    expect(legendOf(49)).toEqual(
      [
        [1, 1],
        [2, 4],
        [5, 9],
        [10, 16],
        [17, 25],
        [26, 36],
        [37, 49],
      ].map(([low, high], i) => ({ step: i + 1, low, high })),
    );
    // With one call at most there is one colour, the strongest.
    expect(legendOf(1)).toEqual([{ step: 7, low: 1, high: 1 }]);
    for (const most of [1, 2, 3, 5, 10, 49, 1234])
      for (const { step, low, high } of legendOf(most))
        expect([stepOf(low, most), stepOf(high, most)]).toEqual([step, step]);
  });
  it("draws each cell where its time and its row are", () => {
    const plot = { ...grid, rows: [0, 3] as const };
    const [faint, strong] = heatPaths(plot, cells);
    const [start, end] = [AT + 17, AT + 15 * MINUTE];
    const x = (ms: number) => Number((((ms - start) / (end - start)) * PLOT.width).toFixed(2));
    // Row 1 of four, counted from below, begins at half of the height.
    expect(faint).toEqual({ step: 1, path: `M0 150h${x(AT + 5 * MINUTE)}v75h-${x(AT + 5 * MINUTE)}z` });
    expect(strong?.path).toMatch(new RegExp(`^M${x(AT + 5 * MINUTE)} 75h`));
    expect(yOf(plot, edgeMs(40))).toBe(PLOT.height);
    expect(yOf(plot, edgeMs(42))).toBeCloseTo(PLOT.height / 2, 9);
    expect(yOf(plot, 1)).toBe(PLOT.height);
  });
  it("breaks a line where there is no percentile, and shows a point alone", () => {
    const plot = { edges: [0, 10, 20, 30, 40], rowEdgesMs: [1, 10], rows: [0, 0] as const };
    const points = [10, 10, null, 1].map((ms, i) => ({ fromMs: i * 10, toMs: i * 10 + 10, ms }));
    expect(linePath(plot, points)).toBe("M125 0L375 0M750 300L1000 300");
  });
});

describe("axes", () => {
  it("have at most nine round durations, with units", () => {
    expect(latencyTicks(45, 131_072).map(({ label }) => label)).toEqual([
      "50 ms",
      "200 ms",
      "1 s",
      "5 s",
      "30 s",
      "2 m",
    ]);
    expect(latencyTicks(300, 3000).map(({ label }) => label)).toEqual(["500 ms", "1 s", "2 s"]);
    expect(latencyTicks(0.0625, 1).map(({ label }) => label)).toEqual(["0.1 ms", "0.2 ms", "0.5 ms", "1 ms"]);
  });
  it("have local times, and days at midnight", () => {
    const labels = (query: string, zone = "UTC") => timeTicks(view(query, zone)).map(({ label }) => label);
    expect(labels("r=24h")).toEqual(["18:00", "21:00", "20 Nov", "03:00", "06:00", "09:00", "12:00"]);
    expect(labels("r=1h", "Asia/Kathmandu")[0]).toBe("20:00");
    expect(labels("r=15m").length).toBeLessThanOrEqual(8);
    expect(labels("r=7d")).toContain("16 Nov");
  });
});

describe("figures", () => {
  it("say by how much, absolutely and relatively", () => {
    expect(changeText(1310, 1000)).toBe("+310 ms (+31 %)");
    expect(changeText(900, 1000)).toBe("−100 ms (−10 %)");
    expect(changeText(1000, 1000)).toBe("0 ms (0 %)");
  });
  it("are of what people wait for, where enough calls tell it", () => {
    const of = (n: number) => ({ n, p50Ms: null, p95Ms: null, p99Ms: null });
    const strip = (modality: Strip["modality"], token: number, audio: number) =>
      ({
        modality,
        callsTimed: 100,
        percentiles: {
          first_byte: of(100),
          first_token: of(token),
          first_audio: of(audio),
          duration: of(100),
          own: of(100),
        },
      }) as Strip;
    expect(headlineOf(strip("text", 20, 0))).toBe("first_token");
    expect(headlineOf(strip("text", 19, 0))).toBe("duration");
    expect(headlineOf(strip("image", 100, 0))).toBe("duration");
    expect(headlineOf(strip("audio", 100, 30))).toBe("first_audio");
    expect(headlineOf(strip("audio", 100, 0))).toBe("duration");
  });
});
