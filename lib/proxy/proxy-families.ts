import { addBuckets } from "#lib/bucket-counter.ts";
import { byLabel, counter, gauge, histogram, type MetricFamily } from "#lib/metric-family.ts";
import { type FiguresRead, OVERHEAD_BOUNDS } from "./figures.ts";
import type { WorkerTally } from "./messages.ts";

/**
 * What the proxy knows by itself: all workers that answered, summed. Counters begin anew with a worker's life, as Prometheus
 * expects of a restart. Without workers the names are all there, so that they can be announced before there is a figure.
 */
export function proxyFamilies(workers: readonly WorkerTally[]): MetricFamily[] {
  const sum = (pick: (worker: WorkerTally) => number) => workers.reduce((total, one) => total + pick(one), 0);
  const figure = (pick: (figures: FiguresRead) => number) => sum(({ figures }) => pick(figures));
  return [
    gauge("omnimeter_workers", "Workers running.", workers.length),
    counter(
      "omnimeter_accepted_calls_total",
      "Calls accepted, those dropped included.",
      sum((one) => one.accepted),
    ),
    gauge(
      "omnimeter_in_flight_calls",
      "Calls being recorded now.",
      sum((one) => one.inFlight),
    ),
    counter(
      "omnimeter_dropped_calls_total",
      "Calls relayed but not recorded, by reason.",
      byLabel("reason", sumByKey(workers.map(({ dropped }) => dropped))),
    ),
    counter(
      "omnimeter_at_risk_calls_total",
      "Calls whose end went out before it was written.",
      sum((one) => one.atRisk),
    ),
    counter(
      "omnimeter_answers_total",
      "Answers of the upstream that were passed on, by class of status.",
      [1, 2, 3, 4, 5].map((digit) => ({
        labels: { status_class: `${digit}xx` },
        value: figure(({ answers }) => answers[digit] ?? 0),
      })),
    ),
    counter(
      "omnimeter_own_errors_total",
      "Requests that Omnimeter itself answered with an error, by its code.",
      byLabel("code", sumByKey(workers.map(({ figures }) => figures.ownErrors))),
    ),
    gauge(
      "omnimeter_open_websockets",
      "WebSockets open now.",
      figure(({ websockets }) => websockets),
    ),
    counter("omnimeter_relayed_bytes_total", "Bytes of bodies and sockets relayed, counted when their call ends.", [
      { labels: { direction: "request" }, value: figure(({ requestBytes }) => requestBytes) },
      { labels: { direction: "response" }, value: figure(({ responseBytes }) => responseBytes) },
    ]),
    histogram(
      "omnimeter_overhead_seconds",
      "Our part of a whole answer's time: from the request being here until it went upstream, and from the upstream's last byte until the end went out.",
      addBuckets(
        workers.map(({ figures }) => figures.overheadSeconds),
        OVERHEAD_BOUNDS,
      ),
    ),
    counter(
      "omnimeter_event_loop_active_seconds_total",
      "Time that the workers' event loops were busy; one worker can be busy for one second per second.",
      figure(({ loopActiveMs }) => loopActiveMs) / 1000,
    ),
    gauge(
      "omnimeter_spool_bytes",
      "Bytes of the spool on disk: waiting for the recorder, or stored and not deleted yet.",
      sum((one) => one.spoolBytes),
    ),
    gauge(
      "omnimeter_spool_strained_workers",
      "Workers whose disk is slow or fails.",
      sum((one) => Number(one.strained)),
    ),
  ];
}

function sumByKey(all: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of all) for (const [key, value] of Object.entries(one)) sums[key] = (sums[key] ?? 0) + value;
  return sums;
}
