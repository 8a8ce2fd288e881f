import {
  type Buckets,
  byLabel,
  counter,
  gauge,
  histogram,
  type MetricFamily,
  type Sample,
} from "#lib/metric-family.ts";
import type { WorkerTally } from "./messages.ts";

/**
 * What the proxy knows by itself, one series per worker that answered. Never their sum: a counter that falls begins anew at
 * zero for whoever reads it, so the sum of those that are left, when one is replaced or silent, would count them all again.
 * Without workers the names are all there, so that they can be announced before there is a figure.
 */
export function proxyFamilies(workers: readonly WorkerTally[]): MetricFamily[] {
  const each = <T = number>(value: (worker: WorkerTally) => T): Sample<T>[] =>
    workers.map((worker) => ({ labels: workerLabel(worker), value: value(worker) }));
  const eachOf = (samples: (worker: WorkerTally) => Sample<number>[]): Sample<number>[] =>
    workers.flatMap((worker) =>
      samples(worker).map(({ labels, value }) => ({ labels: { ...workerLabel(worker), ...labels }, value })),
    );
  return [
    gauge("omnimeter_workers", "Workers running.", workers.length),
    counter(
      "omnimeter_accepted_calls_total",
      "Calls accepted, those dropped included.",
      each(({ accepted }) => accepted),
    ),
    gauge(
      "omnimeter_in_flight_calls",
      "Calls being recorded now.",
      each(({ inFlight }) => inFlight),
    ),
    counter(
      "omnimeter_dropped_calls_total",
      "Calls relayed but not recorded, by reason.",
      eachOf(({ dropped }) => byLabel("reason", dropped)),
    ),
    counter(
      "omnimeter_at_risk_calls_total",
      "Calls whose end went out before it was written.",
      each(({ atRisk }) => atRisk),
    ),
    counter(
      "omnimeter_answers_total",
      "Answers of the upstream that were passed on, by class of status.",
      eachOf(({ figures: { answers } }) =>
        [1, 2, 3, 4, 5].map((digit) => ({ labels: { status_class: `${digit}xx` }, value: answers[digit] ?? 0 })),
      ),
    ),
    counter(
      "omnimeter_own_errors_total",
      "Requests that Omnimeter itself answered with an error, by its code.",
      eachOf(({ figures }) => byLabel("code", figures.ownErrors)),
    ),
    gauge(
      "omnimeter_open_websockets",
      "WebSockets open now.",
      each(({ figures }) => figures.websockets),
    ),
    counter(
      "omnimeter_relayed_bytes_total",
      "Bytes of bodies and sockets relayed, counted when their call ends.",
      eachOf(({ figures: { requestBytes, responseBytes } }) =>
        byLabel("direction", { request: requestBytes, response: responseBytes }),
      ),
    ),
    histogram(
      "omnimeter_overhead_seconds",
      "Our part of a whole answer's time: from the request being here until it went upstream, and from the upstream's last byte until the end went out.",
      each<Buckets>(({ figures }) => figures.overheadSeconds),
    ),
    counter(
      "omnimeter_event_loop_active_seconds_total",
      "Time that the workers' event loops were busy; one worker can be busy for one second per second.",
      each(({ figures }) => figures.loopActiveMs / 1000),
    ),
    gauge(
      "omnimeter_spool_bytes",
      "Bytes of the spool on disk: waiting for the recorder, or stored and not deleted yet.",
      each(({ spoolBytes }) => spoolBytes),
    ),
    gauge(
      "omnimeter_spool_strained_workers",
      "1 while the worker's disk is slow or fails.",
      each(({ strained }) => Number(strained)),
    ),
  ];
}

export const workerLabel = ({ worker }: WorkerTally): Record<string, string> => ({ worker: String(worker) });
