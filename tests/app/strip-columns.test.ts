import { expect, test } from "vitest";
import { stripColumnName, stripColumns } from "#app/calls/strip-columns.ts";
import type { CallFilter } from "#db/queries/call-filter.ts";

const DAY_MS = 86_400_000;
const toMs = Date.parse("2026-11-20T19:22:00Z");
const cut = (days: number, filter: CallFilter) => ({
  interval: { fromMs: toMs - days * DAY_MS, toMs },
  zone: "Asia/Kolkata",
  filter,
});
const first = (of: ReturnType<typeof cut>) => new Date(stripColumns(of).edges[1] as number).toISOString();

test("a long range under a filter that only days are summed by is cut into UTC days, and says so", () => {
  const by = cut(90, { customer: ["acme"] });
  expect([first(by), stripColumns(by).edges.length, stripColumnName(by, stripColumns(by))]).toEqual([
    "2026-08-23T00:00:00.000Z",
    92,
    "UTC day",
  ]);
});

test.each<[string, ReturnType<typeof cut>, string, string]>([
  ["that quarters of an hour know", cut(90, { feature: ["chat"] }), "2026-08-23T06:30:00.000Z", "12 hours"],
  ["over two weeks", cut(14, { customer: ["acme"] }), "2026-11-06T21:30:00.000Z", "3 hours"],
  ["that calls alone can answer", cut(90, { cost: ["unpriced"] }), "2026-08-23T06:30:00.000Z", "12 hours"],
])("under a filter %s the columns are the zone's own", (_, of, edge, name) => {
  expect([first(of), stripColumnName(of, stripColumns(of))]).toEqual([edge, name]);
});
