import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allFamilies } from "#tests/support/all-families.ts";
import { documentedFamilies } from "#tests/support/documented-families.ts";

interface Panel {
  id: number;
  title: string;
  description: string;
  datasource: unknown;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string; legendFormat: string; datasource: unknown }[];
}

const text = readFileSync("docs/grafana-dashboard.json", "utf8");
const dashboard = JSON.parse(text) as {
  __inputs: { name: string; type: string; pluginId: string }[];
  schemaVersion: number;
  templating: { list: { name: string; query: unknown; definition?: string }[] };
  panels: Panel[];
};
const { panels, templating } = dashboard;
const expressions = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));

/** What a query may name: a histogram only by its parts. */
const series = allFamilies().flatMap(({ name, type }) =>
  type === "histogram" ? ["_bucket", "_sum", "_count"].map((part) => name + part) : [name],
);

test("every metric that a panel asks for is one that /metrics has", () => {
  const asked = [
    ...expressions.map(({ expr }) => expr),
    ...templating.list.flatMap(({ definition }) => definition ?? []),
  ];
  const unknown = asked
    .flatMap((expr) => expr.match(/omnimeter_\w+/g))
    .filter((name) => !series.includes(name as string));
  expect(unknown).toEqual([]);
  for (const { title, expr } of expressions) expect(expr, title).toMatch(/omnimeter_/);
});

test("labels in braces and in `by` are those of the metric", () => {
  const labelsOf = new Map(documentedFamilies().map(({ name, labels }) => [name, labels]));
  for (const { title, expr } of expressions) {
    const [, grouped = ""] = /by \(([^)]*)\)/.exec(expr) ?? [];
    const wanted = grouped.split(",").flatMap((one) => one.trim() || []);
    for (const [, name = "", matchers = ""] of expr.matchAll(/(omnimeter_\w+)\{([^}]*)\}/g)) {
      const family = name.replace(/_(bucket|sum|count)$/, "");
      const known = ["job", "instance", "le", ...(labelsOf.get(name) ?? labelsOf.get(family) ?? [])];
      const used = [...matchers.matchAll(/(\w+)(?:=~|!=|=)/g)].map(([, label]) => label as string);
      expect(known, `${title}: ${expr}`).toEqual(expect.arrayContaining([...wanted, ...used]));
    }
  }
});

test("counters are shown as rates or as the equation, never bare by accident", () => {
  const bare = expressions.filter(
    ({ title, expr }) =>
      title !== "The equation" &&
      /omnimeter_\w+(_total|_bucket|_sum|_count)\b/.test(expr) &&
      !/(rate|increase)\(/.test(expr),
  );
  expect(bare).toEqual([]);
});

test("it can be imported: one data source to choose, used by every panel, and panels that do not overlap", () => {
  expect(dashboard.__inputs).toMatchObject([{ name: "DS_PROMETHEUS", type: "datasource", pluginId: "prometheus" }]);
  expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
  expect(templating.list.map(({ name }) => name)).toEqual(["datasource", "job", "instance"]);
  const source = { type: "prometheus", uid: `$\{datasource}` };
  for (const { title, description, datasource, targets } of panels) {
    expect([datasource, ...targets.map((one) => one.datasource)], title).toEqual(
      Array(targets.length + 1).fill(source),
    );
    expect(description.length, title).toBeGreaterThan(10);
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)}:${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
});
