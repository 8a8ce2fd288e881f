/** One family of metrics: a name with its meaning, and a value for each set of labels. Base units: seconds, bytes, US dollars. */
export type MetricFamily = { name: string; help: string } & (
  | { type: "counter" | "gauge"; samples: Sample<number>[] }
  | { type: "histogram"; samples: Sample<Buckets>[] }
);

export interface Sample<T> {
  labels: Record<string, string>;
  value: T;
}

/** How many values fell into each bucket. */
export interface Buckets {
  /** Upper ends, inclusive, ascending. */
  bounds: readonly number[];
  /** One more than there are bounds: the last one counts what is beyond them. Not cumulative. */
  counts: readonly number[];
  sum: number;
}

export const counter = (name: string, help: string, value: number | Sample<number>[]): MetricFamily => ({
  name,
  help,
  type: "counter",
  samples: samplesOf(value),
});

export const gauge = (name: string, help: string, value: number | Sample<number>[]): MetricFamily => ({
  name,
  help,
  type: "gauge",
  samples: samplesOf(value),
});

export const histogram = (name: string, help: string, value: Buckets | Sample<Buckets>[]): MetricFamily => ({
  name,
  help,
  type: "histogram",
  samples: Array.isArray(value) ? value : [{ labels: {}, value: value as Buckets }],
});

/** One sample per entry, with the key as the value of `label`. */
export const byLabel = (label: string, values: Readonly<Record<string, number>>): Sample<number>[] =>
  Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));

const samplesOf = (value: number | Sample<number>[]) => (typeof value === "number" ? [{ labels: {}, value }] : value);
