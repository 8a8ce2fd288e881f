import { expect, test } from "vitest";
import { createBucketCounter } from "#lib/bucket-counter.ts";
import { counter, gauge, histogram } from "#lib/metric-family.ts";
import { prometheusText } from "#lib/proxy/prometheus-text.ts";
import { parsePrometheus } from "#tests/support/prometheus.ts";

test("a family is its help, its type and its samples", () => {
  const text = prometheusText([
    gauge("omnimeter_a", "What it is.", 2.5),
    counter("omnimeter_b_total", "Counted.", [
      { labels: { kind: "x", side: "y" }, value: 1 },
      { labels: { kind: "z", side: "y" }, value: 1e21 },
    ]),
  ]);
  expect(text).toBe(`# HELP omnimeter_a What it is.
# TYPE omnimeter_a gauge
omnimeter_a 2.5
# HELP omnimeter_b_total Counted.
# TYPE omnimeter_b_total counter
omnimeter_b_total{kind="x",side="y"} 1
omnimeter_b_total{kind="z",side="y"} 1e+21
`);
});

test("a family without samples still says its name", () => {
  expect(prometheusText([counter("omnimeter_b_total", "Counted.", [])])).toBe(
    "# HELP omnimeter_b_total Counted.\n# TYPE omnimeter_b_total counter\n",
  );
  expect(prometheusText([])).toBe("");
});

test("backslashes, quotes and line ends are escaped in labels, backslashes and line ends in help", () => {
  const value = 'C:\\new\n"quoted"';
  const text = prometheusText([counter("omnimeter_b_total", 'a\\b\n"c"', [{ labels: { name: value }, value: 1 }])]);
  expect(text).toContain('# HELP omnimeter_b_total a\\\\b\\n"c"\n');
  expect(text).toContain('{name="C:\\\\new\\n\\"quoted\\""} 1\n');
  expect(parsePrometheus(text).get("omnimeter_b_total")?.samples[0]?.labels).toEqual({ name: value });
});

test("a histogram is cumulative, with bounds inclusive and everything below +Inf", () => {
  const buckets = createBucketCounter([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) buckets.add(value);
  expect(prometheusText([histogram("omnimeter_h", "H.", buckets.read())])).toBe(`# HELP omnimeter_h H.
# TYPE omnimeter_h histogram
omnimeter_h_bucket{le="0.1"} 2
omnimeter_h_bucket{le="1"} 3
omnimeter_h_bucket{le="+Inf"} 4
omnimeter_h_sum 7.65
omnimeter_h_count 4
`);
});
