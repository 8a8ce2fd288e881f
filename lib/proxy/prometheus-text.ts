import type { Buckets, MetricFamily } from "#lib/metric-family.ts";

/** Prometheus' text format, version 0.0.4. Families have different names, and the samples of one have different labels. */
export const prometheusText = (families: readonly MetricFamily[]): string =>
  families.map((family) => [...headOf(family), ...samplesOf(family), ""].join("\n")).join("");

const headOf = ({ name, help, type }: MetricFamily): string[] => [
  `# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}`,
  `# TYPE ${name} ${type}`,
];

function samplesOf(family: MetricFamily): string[] {
  if (family.type === "histogram")
    return family.samples.flatMap(({ labels, value }) => histogramLines(family.name, labels, value));
  return family.samples.map(({ labels, value }) => line(family.name, labels, value));
}

/** Buckets are cumulative here: each counts everything up to its upper end. */
function histogramLines(name: string, labels: Record<string, string>, { bounds, counts, sum }: Buckets): string[] {
  let total = 0;
  const buckets = counts.map((count, i) => {
    total += count;
    return line(`${name}_bucket`, { ...labels, le: numberText(bounds[i] ?? Number.POSITIVE_INFINITY) }, total);
  });
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, total)];
}

function line(name: string, labels: Record<string, string>, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  return `${name}${pairs.length ? `{${pairs.join(",")}}` : ""} ${numberText(value)}`;
}

const escapeLabel = (text: string): string => text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");

/** As Go reads it. */
const numberText = (value: number): string =>
  Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
