import { setTimeout as sleep } from "node:timers/promises";
import { isatty } from "node:tty";
import { type Config, ConfigError, readConfig } from "#lib/config.ts";
import { ensureKey } from "#lib/keys.ts";
import { createLog } from "#lib/log.ts";
import type { MetricFamily } from "#lib/metric-family.ts";
import { spoolKeyFile } from "#lib/spool/spool-dir.ts";
import { bindSocket } from "./listening-socket.ts";
import { readMetrics } from "./metrics.ts";
import { prometheusText } from "./prometheus-text.ts";
import { startWorkers, type Workers } from "./workers.ts";

/** A port that is in use for longer is somebody else's. */
const PREDECESSOR_MS = 2000;
/** Clients that use their connections steadily have been told to close them by then. */
const STOP_QUIET_MS = 500;
/** Who was replaced is in nobody's way: long enough for what OpenAI's own clients wait for (10 minutes), and for most idle connections to be used once more. */
const RETIRE_MS = 600_000;
const RETIRE_QUIET_MS = 15_000;
/** What a WebSocket has left after it was told to go away. */
const RETIRE_SOCKETS_MS = RETIRE_MS - 10_000;

/**
 * The proxy's main process: holds the listening socket, starts the workers that accept from it, replaces one that dies,
 * and answers for all of them. On SIGHUP it replaces all of them, without a refused connection. It holds no database
 * credentials.
 */
export async function startProxy(): Promise<void> {
  const config = readConfig();
  ensureKey(spoolKeyFile(config.dataDir));
  const log = createLog("proxy");
  let stopping = false;
  let telemetry: { shutdown(): Promise<void> } | null = null;
  let workers: Workers | null = null;

  const socket = await patiently(() => bindSocket(config.proxyPort, config.host, config.workers)).catch(fail);
  if (!socket) return;
  const gather = () => workers?.gather() ?? Promise.resolve([]);
  workers = startWorkers({
    count: config.workers,
    socket,
    retirement: { drainMs: RETIRE_MS, socketsMs: RETIRE_SOCKETS_MS, quietMs: RETIRE_QUIET_MS },
    onReady: () => process.send?.({ type: "ready", port: socket.port }),
    onFailed: fail,
    onMetrics: (worker) =>
      void readMetrics(config.dataDir, gather)
        .then(({ proxy, recorder }) => prometheusText([...proxy, ...recorder]))
        // Somebody deletes the spool at this very moment: an empty answer, and the next one says more.
        .catch(() => "")
        .then((text) => workers?.say(worker, { type: "metrics", text })),
    log: log.error,
  });
  process.on("disconnect", stop);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  // A terminal that is closed says the same, and there it means to end.
  if (!isatty(0)) process.on("SIGHUP", () => workers?.replace());
  telemetry = await startTelemetry(config, async () => (await readMetrics(config.dataDir, gather)).proxy);

  function stop() {
    if (stopping) return;
    stopping = true;
    const lastFigures = telemetry?.shutdown();
    // From here on connections are refused, so that whoever asks goes elsewhere.
    socket?.close();
    const gone = workers?.stop({ drainMs: config.drainMs, socketsMs: 0, quietMs: STOP_QUIET_MS });
    void Promise.all([gone, lastFigures]).then(() => process.exit(0));
  }

  function fail({ code, message }: { code?: string; message: string }) {
    const said =
      code === "EADDRINUSE"
        ? `Port ${config.proxyPort} is in use on ${config.host}. Stop what uses it, or set OMNIMETER_PROXY_PORT to another one.`
        : `The proxy cannot listen on ${config.host}:${config.proxyPort}: ${message}`;
    stopping = true;
    workers?.kill();
    if (process.send) return void process.send({ type: "failed", message: said }, () => process.exit(1));
    console.error(said);
    process.exit(1);
  }
}

/** Workers of a predecessor that was killed hold its port until they have noticed: an instant, on a busy machine a little more. */
async function patiently<T>(bind: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + PREDECESSOR_MS; ; await sleep(20)) {
    try {
      return await bind();
    } catch (error) {
      if ((error as { code?: string }).code !== "EADDRINUSE" || Date.now() > until) throw error;
    }
  }
}

/** null: nobody is told, and the SDK's 45 MB are not loaded. */
async function startTelemetry({ telemetry: { metrics } }: Config, read: () => Promise<MetricFamily[]>) {
  if (!metrics) return null;
  const { startProxyMetrics } = await import("#lib/telemetry/proxy-metrics.ts");
  return startProxyMetrics({ metrics, read, log: createLog("proxy").warn });
}

if (import.meta.main) {
  // For `pkill -HUP -x`; the system shows 15 characters.
  process.title = "omnimeter-proxy";
  try {
    await startProxy();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.exitCode = 1;
    if (process.send) process.send({ type: "failed", message: error.message });
    else console.error(error.message);
  }
}
