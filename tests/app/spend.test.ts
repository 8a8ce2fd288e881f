import { describe, expect, it } from "vitest";
import { coloursOf, MOST_SERIES } from "#app/_charts/series-colours.ts";
import { type Cell, toCsv } from "#app/spend/csv/to-csv.ts";
import { nameOfGroup, narrowed } from "#app/spend/groupings.ts";
import {
  asSpendHref,
  callsHref,
  rangeOf,
  readSpendView,
  spendBuckets,
  spendDays,
  spendHref,
} from "#app/spend/spend-view.ts";
import { seeded } from "#tests/support/split.ts";

const now = Date.parse("2026-11-20T12:34:56Z");
const view = (query: string) => readSpendView(Object.fromEntries(new URLSearchParams(query)), now);

describe("the spend page's view", () => {
  it("is the month that runs in UTC, by feature, whatever the browser's zone", () => {
    expect(view("")).toMatchObject({
      range: { kind: "month", year: 2026, month: 11 },
      interval: { fromMs: Date.UTC(2026, 10, 1), toMs: Date.UTC(2026, 11, 1) },
      zone: "UTC",
      zonePinned: false,
      grouping: "feature",
      complaints: [],
    });
  });
  it.each([
    "",
    "?r=24h",
    "?r=2026-10",
    "?tz=Asia/Kolkata",
    "?r=7d&tz=America/New_York&f=feature:a,b;customer:%3D1%2B1&g=customer",
    "?f=cost:unpriced&g=version",
    "?r=2026-11-03..2026-11-04",
  ])("%s reads and writes the same", (query) => {
    expect(spendHref(view(query))).toBe(`/spend${query}`);
  });
  it("says what it does not understand", () => {
    expect(view("g=colour").complaints).toEqual(["Spend is not grouped by “colour”; this is by feature."]);
    expect(view("r=never").complaints).toHaveLength(1);
  });
  it("an address of another page means the same here", () => {
    expect(asSpendHref("/spend?f=feature:a", view("g=model"))).toBe("/spend?r=24h&f=feature:a&g=model");
    expect(asSpendHref("/spend?r=2026-11&tz=UTC", view(""))).toBe("/spend");
  });
  it("leads to the same calls, in the same zone", () => {
    expect(callsHref(view(""), { feature: ["a"] })).toBe("/calls?r=2026-11&tz=UTC&f=feature:a");
  });
});

describe("buckets", () => {
  it.each([
    ["", "day", 30],
    ["r=2026-11-03..2026-11-04", "hour", 24],
    ["r=2026-11-01..2026-11-02&tz=America/New_York", "hour", 25],
    ["r=2026-11-03T01:00..2026-11-03T03:00", "15 minutes", 8],
    ["r=2025-01-01..2026-01-01", "week", 53],
  ])("of %j are of one %s", (query, name, count) => {
    const { edges, width } = spendBuckets(view(query));
    expect([width.name, edges.length - 1]).toEqual([name, count]);
  });
  it("are days for the export, however many", () => {
    expect(spendDays(view("r=2020-01-01..2026-01-01")).length - 1).toBe(2192);
  });
});

describe("a day's range", () => {
  it("is written as its date, and is the same moments when read", () => {
    for (const zone of ["UTC", "America/New_York", "Pacific/Chatham"]) {
      const edges = spendDays(view(`r=2026-03&tz=${zone}`));
      for (const [i, fromMs] of edges.slice(0, -1).entries()) {
        const toMs = edges[i + 1] as number;
        const href = spendHref(view(`tz=${zone}`), { range: rangeOf({ fromMs, toMs }, zone) });
        expect(href).toMatch(/r=2026-03-\d\d\.\.2026-0[34]-\d\d(&|$)/);
        expect(view(href.split("?")[1] as string).interval).toEqual({ fromMs, toMs });
      }
    }
  });
});

describe("groups", () => {
  it("have names", () => {
    expect(nameOfGroup("version", { name: "support", version: "2" })).toBe("support@2");
    expect(nameOfGroup("version", { name: "support", version: "" })).toBe("support@none given");
    expect(nameOfGroup("customer", { name: "", version: "" })).toBe("none given");
  });
  it("narrow a filter, and keep the rest of it", () => {
    const filter = { customer: ["acme", "globex"], outcome: ["completed"] as const };
    expect(narrowed(filter, "customer", { name: "acme", version: "" })).toEqual({ ...filter, customer: ["acme"] });
    expect(narrowed({}, "version", { name: "t", version: "" })).toEqual({ template: ["t"], templateVersion: [""] });
    expect(narrowed({}, "feature", { name: "(other)", version: "" })).toBeNull();
  });
});

describe("CSV", () => {
  it("keeps figures as they are, and words from becoming formulas", () => {
    const csv = toCsv(
      ["name", "usd"],
      [
        [{ words: "=HYPERLINK(1)" }, { figure: "-0.000000000001" }],
        [{ words: 'a "quoted", name' }, { figure: 3 }],
        [{ words: "-1" }, { figure: "0.1" }],
        [{ words: "two\nlines" }, { figure: "0" }],
      ],
    );
    expect(csv).toBe(
      'name,usd\r\n\'=HYPERLINK(1),-0.000000000001\r\n"a ""quoted"", name",3\r\n\'-1,0.1\r\n"two\nlines",0\r\n',
    );
  });
  it("reads back as what was written, whatever the words", () => {
    const random = seeded(4180);
    const signs = [",", '"', "\r", "\n", "\t", "=", "+", "-", "@", "é", "a", " ", ";"];
    const draw = () =>
      Array.from({ length: Math.floor(random() * 6) }, () => signs[Math.floor(random() * signs.length)]).join("");
    const rows = Array.from({ length: 400 }, () => [draw(), draw(), String(Math.floor(random() * 1e6))]);
    const cells = rows.map(([a, b, c]): Cell[] => [{ words: a ?? "" }, { words: b ?? "" }, { figure: c ?? "" }]);
    const read = parseCsv(toCsv(["a", "b", "c"], cells)).slice(1);
    expect(read.map((row) => row.map((text) => text.replace(/^'(?=[=+\-@\t\r])/, "")))).toEqual(rows);
    expect(read.flat().every((text) => !/^[=+\-@\t\r]/.test(text))).toBe(true);
  });
});

describe("colours", () => {
  it("are different in one chart, and stay when another name comes after", () => {
    const names = ["search", "chat", "voice", "rewrite", "classify", "none given"];
    expect(new Set(coloursOf(names).values()).size).toBe(MOST_SERIES);
    expect(coloursOf([...names].reverse())).toEqual(coloursOf(names));
    const two = coloursOf(["chat", "search"]);
    expect(new Map([...coloursOf(["chat", "search", "zebra"])].slice(0, 2))).toEqual(two);
  });
});

/** RFC 4180, read by another hand. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text);
    if (!found) throw new Error("not CSV");
    const [, quoted, plain = "", end] = found;
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}
