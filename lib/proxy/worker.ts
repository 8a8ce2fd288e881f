import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { readConfig } from "#lib/config.ts";
import { readKey } from "#lib/keys.ts";
import { createLog } from "#lib/log.ts";
import { routeOf } from "#lib/openai/relay.ts";
import { holdSpool } from "#lib/spool/hold-spool.ts";
import { openSpoolDir, spoolKeyFile } from "#lib/spool/spool-dir.ts";
import { createSpoolWriter } from "#lib/spool/writer.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { answerFeedback } from "./answer-feedback.ts";
import { createFigures } from "./figures.ts";
import { createFingerprint } from "./fingerprint.ts";
import type { FromWorker, ToWorker, WorkerTally } from "./messages.ts";
import { answerOwnError, ownErrorMessage } from "./own-error.ts";
import { refuseGarbage } from "./refuse-garbage.ts";
import { Relay, type RelayContext } from "./relay.ts";
import { relayUpgrade } from "./upgrade.ts";
import { createConnectTimer, createUpstreams } from "./upstreams.ts";

/** How long a predecessor may take to leave. */
const HOLD_MS = 40_000;
/** How long calls may go on after a SIGTERM. */
const DRAIN_MS = 30_000;

/** One worker of the proxy: a server, a spool of its own, and nothing shared with its siblings. */
export async function startWorker(number: number, port: number): Promise<void> {
  const config = readConfig();
  const key = readKey(spoolKeyFile(config.dataDir));
  const { dir, spool: name } = openSpoolDir(config.dataDir, number);
  // A worker whose main process was killed is gone within milliseconds; its successor must not write beside it.
  for (const until = Date.now() + HOLD_MS; !holdSpool(dir, "worker"); await sleep(10))
    if (Date.now() > until)
      return tell({
        type: "failed",
        code: "",
        message: `another proxy writes to ${dir}; stop it, or set OMNIMETER_DATA_DIR.`,
      });
  const log = createLog("proxy");
  const spool = createSpoolWriter({
    dir,
    spool: name,
    key,
    spoolBytes: config.spoolBytes,
    fsync: config.fsync,
    restoreDir: () => void openSpoolDir(config.dataDir, number, name),
    onFault: (error) => log.error(`a call could not be ended: ${error.stack}`),
  });
  const upstreams = createUpstreams(config.upstreams, config.connectTimeoutMs, config.upstreamConnections);
  const context: RelayContext = {
    spool,
    newId: createUuid7(),
    fingerprint: createFingerprint(key),
    keepBytes: config.keepBytes,
    keepHeadersBytes: config.keepHeadersBytes,
    maxCalls: config.maxCalls,
    includeUsage: config.includeUsage,
    includeUsageBytes: config.includeUsageBytes,
    traces: config.telemetry.traces !== null,
    inFlight: 0,
    figures: createFigures(),
    connectTimer: createConnectTimer(),
  };
  const waitingForMetrics: ServerResponse[] = [];
  let stopping = false;
  /** Answers that have not wholly left, recorded or not. */
  let answering = 0;

  const server = createServer(
    {
      maxHeaderSize: 64 << 10,
      keepAliveTimeout: 75_000,
      headersTimeout: 60_000,
      requestTimeout: 0,
      noDelay: true,
      // Some clients offer HTTP/2 (`h2c`) with every request: declined by answering in HTTP/1.1.
      shouldUpgradeCallback: (req: IncomingMessage) =>
        req.method === "GET" && /^websocket$/i.test(req.headers.upgrade ?? ""),
    } as ServerOptions,
    onRequest,
  );
  server.on("upgrade", onUpgrade);
  server.on("clientError", (error, socket) => refuseGarbage(context.figures, error, socket));
  server.on("error", (error: NodeJS.ErrnoException) =>
    tell({ type: "failed", code: error.code ?? "", message: error.message }),
  );
  server.listen({ port, host: config.host, backlog: 4096, reusePort: config.workers > 1 }, () => {
    const address = server.address();
    tell({ type: "listening", port: typeof address === "object" && address ? address.port : port });
  });

  process.on("message", (message: ToWorker) => {
    if (message.type === "tally") tell({ type: "tally", tally: tally() });
    if (message.type === "metrics") waitingForMetrics.shift()?.end(message.text);
    if (message.type === "stop") stop();
  });
  // The main process is dead, and a successor will want this port and this spool: what is in flight is interrupted.
  process.on("disconnect", () => !stopping && process.exit(1));
  // The primary tells when to stop: a signal to the whole group must not end calls before their time.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});

  function onRequest(req: IncomingMessage, res: ServerResponse) {
    answering++;
    res.on("close", () => answering--);
    const route = routeOf(req.url as string, config.upstreams);
    if (route.kind === "relay")
      return new Relay(context, req, res, upstreams.get(route.upstream), route.target).begin();
    if (route.kind === "none") return answerOwnError(context.figures, res, 404, route.code, route.message);
    if (route.name === "feedback") return answerFeedback(context, req, res);
    if (route.name === "metrics") {
      waitingForMetrics.push(res.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }));
      return tell({ type: "metrics" });
    }
    const ready = route.name === "healthz" || !stopping;
    res.writeHead(ready ? 200 : 503, { "content-type": "text/plain" }).end(ready ? "ok\n" : "stopping\n");
  }

  function onUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer) {
    const route = routeOf(req.url as string, config.upstreams);
    if (route.kind === "relay")
      return relayUpgrade(context, req, socket, head, upstreams.get(route.upstream), route.target);
    const { code, message } =
      route.kind === "none" ? route : { code: "omnimeter_unknown_path", message: "there is no WebSocket here." };
    socket.on("error", () => {});
    context.figures.ownError(code);
    socket.end(ownErrorMessage(404, "Not Found", code, message));
  }

  /** No new connections; calls in flight finish; then the spool is closed and the process ends. */
  function stop() {
    if (stopping) return;
    stopping = true;
    server.close();
    const until = performance.now() + DRAIN_MS;
    const timer = setInterval(() => {
      server.closeIdleConnections();
      if ((context.inFlight > 0 || answering > 0) && performance.now() < until) return;
      clearInterval(timer);
      spool.close();
      // A response is closed when its last byte is the system's to send.
      setTimeout(() => process.exit(0), 50);
    }, 20);
  }

  function tally(): WorkerTally {
    const { inFlight, figures } = context;
    return { ...spool.tally(), worker: number, spool: name, run: spool.run, inFlight, figures: figures.read() };
  }

  function tell(message: FromWorker) {
    if (process.connected) process.send?.(message);
  }
}

if (import.meta.main) await startWorker(Number(process.argv[2]), Number(process.argv[3]));
