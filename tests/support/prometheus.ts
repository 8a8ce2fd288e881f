export interface ParsedFamily {
  help: string;
  type: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const SAMPLE = /^([a-z_]+)(?:\{(.*)\})? (-?(?:\d[\d.e+-]*|Inf)|\+Inf|NaN)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\[\\"n])*)"(,|$)/y;

/** Reads Prometheus' text format 0.0.4 more strictly than Prometheus does. @throws Error naming the line that is wrong */
export function parsePrometheus(text: string): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let current: [name: string, family: ParsedFamily] | null = null;
  let help: [name: string, text: string] | null = null;
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line does not end");
  for (const line of text.split("\n").slice(0, -1)) {
    const wrong = (why: string) => new Error(`${why}: ${line}`);
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line) ?? [];
    if (keyword === "HELP") {
      if (help) throw wrong("HELP without TYPE before");
      help = [name, rest];
    } else if (keyword === "TYPE") {
      if (help?.[0] !== name) throw wrong("TYPE does not follow its HELP");
      if (families.has(name)) throw wrong("a family twice");
      if (!/^(counter|gauge|histogram)$/.test(rest)) throw wrong("unknown type");
      if ((rest === "counter") !== name.endsWith("_total")) throw wrong("counters, and only they, end in _total");
      current = [name, { help: help[1], type: rest, samples: [] }];
      families.set(...current);
      help = null;
    } else {
      const match = SAMPLE.exec(line);
      if (!match || help || !current) throw wrong("not a sample of a family");
      const [, sampleName = "", labelText = "", value = ""] = match;
      const suffixes = current[1].type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!suffixes.some((suffix) => sampleName === current?.[0] + suffix)) throw wrong(`not of ${current[0]}`);
      const labels = parseLabels(labelText, wrong);
      const key = JSON.stringify([sampleName, Object.entries(labels).sort()]);
      if (seen.has(key)) throw wrong("a series twice");
      seen.add(key);
      current[1].samples.push({ name: sampleName, labels, value: Number(value.replace("Inf", "Infinity")) });
    }
  }
  if (help) throw new Error(`HELP without TYPE: ${help[0]}`);
  for (const [name, { type, samples }] of families)
    if (type === "histogram") for (const one of bySeries(samples)) checkHistogram(name, one);
  return families;
}

/** The value of one series, or the sum of those whose labels include `labels`; null when there is none. */
export function figureOf(
  families: ReadonlyMap<string, ParsedFamily>,
  name: string,
  labels: Record<string, string> = {},
): number | null {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
  const found = (family?.samples ?? []).filter(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0);
}

function parseLabels(text: string, wrong: (why: string) => Error): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (!match) throw wrong("bad labels");
    const [, name = "", value = ""] = match;
    if (name in labels) throw wrong("a label twice");
    labels[name] = value.replace(/\\([\\"n])/g, (_, one) => (one === "n" ? "\n" : one));
  }
  return labels;
}

const bySeries = (samples: ParsedFamily["samples"]) =>
  Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels)).values();

function checkHistogram(name: string, samples: ParsedFamily["samples"]) {
  const buckets = samples.filter((one) => one.name === `${name}_bucket`);
  const ends = buckets.map(({ labels }) => Number(labels.le?.replace("Inf", "Infinity")));
  const rising = (list: number[]) => list.every((one, i) => i === 0 || one >= (list[i - 1] as number));
  if (!rising(ends) || !rising(buckets.map(({ value }) => value))) throw new Error(`${name} is not cumulative`);
  if (ends.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name} has no +Inf`);
  const count = samples.find((one) => one.name === `${name}_count`)?.value;
  if (count !== buckets.at(-1)?.value) throw new Error(`${name}_count is not its +Inf bucket`);
  if (!samples.some((one) => one.name === `${name}_sum`)) throw new Error(`${name} has no sum`);
}
