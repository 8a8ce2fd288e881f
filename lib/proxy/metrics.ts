import type { WorkerTally } from "./messages.ts";

/** Prometheus text of all workers, summed. Counters begin anew with a worker's life, as Prometheus expects of a restart. */
export function metricsText(tallies: readonly WorkerTally[]): string {
  const sum = (pick: (tally: WorkerTally) => number) => tallies.reduce((total, one) => total + pick(one), 0);
  const dropped: Record<string, number> = {};
  for (const tally of tallies)
    for (const [reason, count] of Object.entries(tally.dropped)) dropped[reason] = (dropped[reason] ?? 0) + count;
  const lines = [
    ...counter(
      "accepted_calls",
      "Calls accepted.",
      sum((t) => t.accepted),
    ),
    ...gauge(
      "in_flight_calls",
      "Calls being recorded now.",
      sum((t) => t.inFlight),
    ),
    "# HELP omnimeter_dropped_calls_total Calls relayed but not recorded, by reason.",
    "# TYPE omnimeter_dropped_calls_total counter",
    ...Object.entries(dropped).map(([reason, n]) => `omnimeter_dropped_calls_total{reason="${reason}"} ${n}`),
    ...counter(
      "at_risk_calls",
      "Calls whose end went out before it was written.",
      sum((t) => t.atRisk),
    ),
    ...gauge(
      "spool_bytes",
      "Bytes waiting in the spool.",
      sum((t) => t.spoolBytes),
    ),
    ...gauge("workers", "Workers running.", tallies.length),
  ];
  return `${lines.join("\n")}\n`;
}

const counter = (name: string, help: string, value: number) => metric(`${name}_total`, "counter", help, value);
const gauge = (name: string, help: string, value: number) => metric(name, "gauge", help, value);
const metric = (name: string, type: string, help: string, value: number) => [
  `# HELP omnimeter_${name} ${help}`,
  `# TYPE omnimeter_${name} ${type}`,
  `omnimeter_${name} ${value}`,
];
