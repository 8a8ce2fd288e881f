import { type ChildProcess, fork } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { type Config, ConfigError, readConfig } from "#lib/config.ts";
import { ensureKey } from "#lib/keys.ts";
import { createLog } from "#lib/log.ts";
import type { MetricFamily } from "#lib/metric-family.ts";
import { spoolKeyFile } from "#lib/spool/spool-dir.ts";
import type { FromWorker, ToWorker, WorkerTally } from "./messages.ts";
import { readMetrics } from "./metrics.ts";
import { prometheusText } from "./prometheus-text.ts";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
const RESTART_MS = 50;
/** Workers that die one after the other without ever listening: something is wrong that another try does not mend. */
const FAILED_STARTS_MAX = 5;
/** A worker that does not answer within this is left out of the metrics. */
const TALLY_MS = 250;

/**
 * The proxy's main process: starts the workers, replaces one that dies, and answers for all of them. Each worker listens
 * on the port itself, so that a connection that meets a dying one is closed by the system and not lost on the way
 * between two processes. It holds no database credentials.
 */
export async function startProxy(): Promise<void> {
  const config = readConfig();
  ensureKey(spoolKeyFile(config.dataDir));
  const workers = new Map<number, ChildProcess>();
  const listening = new Set<number>();
  let port = config.proxyPort;
  let announced = false;
  let failedStarts = 0;
  let stopping = false;
  let telemetry: { shutdown(): Promise<void> } | null = null;
  /** The last figures on their way to a collector. */
  let lastFigures: Promise<void> | undefined;

  process.on("disconnect", stop);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  // Workers share the port, and would share it with a stranger too.
  if (config.workers > 1 && port !== 0) await tryPort(port, config.host).catch(fail);
  startOne(0);
  telemetry = await startTelemetry(config, async () => (await readMetrics(config.dataDir, gather)).proxy);

  /** The first one finds the port when any will do; the others, and whoever comes after, take the same. */
  function startOne(number: number) {
    if (stopping) return;
    const worker = fork(WORKER, [String(number), String(port)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    workers.set(number, worker);
    // One per request for the figures that is being answered.
    worker.setMaxListeners(0);
    worker.on("message", (message: FromWorker) => {
      if (message.type === "listening") announce(number, message.port);
      if (message.type === "failed") fail(message);
      if (message.type === "metrics")
        void readMetrics(config.dataDir, gather)
          .then(({ proxy, recorder }) => prometheusText([...proxy, ...recorder]))
          // Somebody deletes the spool at this very moment: an empty answer, and the next one says more.
          .catch(() => "")
          .then((text) => say(worker, { type: "metrics", text }));
    });
    worker.on("exit", () => {
      workers.delete(number);
      if (stopping) return leaveWhenDone();
      if (!listening.delete(number) && ++failedStarts >= FAILED_STARTS_MAX)
        return fail({ code: "", message: "its worker dies before it listens; see above." });
      setTimeout(() => startOne(number), failedStarts === 0 ? 0 : RESTART_MS * 2 ** failedStarts);
    });
  }

  function announce(number: number, actual: number) {
    port = actual;
    failedStarts = 0;
    listening.add(number);
    if (number === 0 && !announced) for (let other = 1; other < config.workers; other++) startOne(other);
    if (listening.size < config.workers || announced) return;
    announced = true;
    process.send?.({ type: "ready", port });
  }

  function fail({ code, message }: { code?: string; message: string }) {
    const said =
      code === "EADDRINUSE"
        ? `Port ${port} is in use on ${config.host}. Stop what uses it, or set OMNIMETER_PROXY_PORT to another one.`
        : `The proxy cannot listen on ${config.host}:${port}: ${message}`;
    stopping = true;
    for (const worker of workers.values()) worker.kill("SIGKILL");
    if (process.send) return void process.send({ type: "failed", message: said }, () => process.exit(1));
    console.error(said);
    process.exit(1);
  }

  function gather(): Promise<WorkerTally[]> {
    const asked = [...workers.values()].map(
      (worker) =>
        new Promise<WorkerTally | null>((resolve) => {
          const timer = setTimeout(() => done(null), TALLY_MS);
          const done = (tally: WorkerTally | null) => {
            clearTimeout(timer);
            worker.off("message", listen);
            resolve(tally);
          };
          const listen = (message: FromWorker) => message.type === "tally" && done(message.tally);
          worker.on("message", listen);
          say(worker, { type: "tally" });
        }),
    );
    return Promise.all(asked).then((all) => all.filter((one) => one !== null));
  }

  /** A worker may die between the question and the send: what cannot be said to it need not be said. */
  function say(worker: ChildProcess, message: ToWorker) {
    if (worker.connected) worker.send(message, () => {});
  }

  function stop() {
    if (stopping) return;
    stopping = true;
    lastFigures = telemetry?.shutdown();
    for (const worker of workers.values()) say(worker, { type: "stop" });
    leaveWhenDone();
  }

  function leaveWhenDone() {
    if (workers.size === 0) void Promise.resolve(lastFigures).then(() => process.exit(0));
  }
}

/** null: nobody is told, and the SDK's 45 MB are not loaded. */
async function startTelemetry({ telemetry: { metrics } }: Config, read: () => Promise<MetricFamily[]>) {
  if (!metrics) return null;
  const { startProxyMetrics } = await import("#lib/telemetry/proxy-metrics.ts");
  return startProxyMetrics({ metrics, read, log: createLog("proxy").warn });
}

function tryPort(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

if (import.meta.main) {
  try {
    await startProxy();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.exitCode = 1;
    if (process.send) process.send({ type: "failed", message: error.message });
    else console.error(error.message);
  }
}
