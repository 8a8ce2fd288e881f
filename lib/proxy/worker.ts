import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse, STATUS_CODES } from "node:http";
import { Server as NetServer } from "node:net";
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
import { createAdmission, type Refusal } from "./admit.ts";
import { answerFeedback } from "./answer-feedback.ts";
import { createConnections } from "./connections.ts";
import { createFigures } from "./figures.ts";
import { createFingerprint } from "./fingerprint.ts";
import type { Farewell, FromWorker, ToWorker, WorkerTally } from "./messages.ts";
import { type Cut, type OpenCall, STOPPED, silent } from "./open-call.ts";
import { answerOwnError, ownErrorMessage } from "./own-error.ts";
import { refuseGarbage } from "./refuse-garbage.ts";
import { Relay } from "./relay.ts";
import type { RelayContext } from "./relay-context.ts";
import { relayUpgrade } from "./upgrade.ts";
import { createConnectTimer, createUpstreams } from "./upstreams.ts";

/** How long a predecessor may take to leave, beyond the time that its calls have. */
const HOLD_MS = 10_000;
const SWEEP_MS_MAX = 5000;
/** Connections beyond the limit that are told so; further ones are closed without a word. */
const EXCESS_CONNECTIONS = 1000;
const BACKLOG = 4096;
const LEAVE_TICK_MS = 20;
/** For the last ends on their way through the spool, and for goodbyes. */
const CUT_MS = 100;

/** One worker of the proxy: a server, a spool of its own, and nothing shared with its siblings. */
export async function startWorker(number: number): Promise<void> {
  const config = readConfig();
  const key = readKey(spoolKeyFile(config.dataDir));
  const { dir, spool: name } = openSpoolDir(config.dataDir, number);
  // A worker whose main process was killed is gone within milliseconds; its successor must not write beside it.
  for (const until = Date.now() + config.drainMs + HOLD_MS; !holdSpool(dir, "worker"); await sleep(10))
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
  const upstreams = createUpstreams(config.upstreams, {
    connectTimeoutMs: config.connectTimeoutMs,
    connections: config.upstreamConnections,
  });
  const context: RelayContext = {
    spool,
    newId: createUuid7(),
    fingerprint: createFingerprint(key),
    keepBytes: config.keepBytes,
    keepHeadersBytes: config.keepHeadersBytes,
    keepAudio: config.keepAudio,
    maxCalls: config.maxCalls,
    includeUsage: config.includeUsage,
    includeUsageBytes: config.includeUsageBytes,
    traces: config.telemetry.traces !== null,
    inFlight: 0,
    figures: createFigures(),
    connectTimer: createConnectTimer(),
  };
  const admits = createAdmission(config.host, config.allowedHosts);
  const connections = createConnections({
    max: config.maxConnections,
    silenceMs: config.clientTimeoutMs,
    onSilent: (res, call) => cutSilent(res, call, silent(config.clientTimeoutMs)),
  });
  const waitingForMetrics: ServerResponse[] = [];
  /** When what is in flight is cut; null: it is not leaving. */
  let farewell: Farewell | null = null;

  const server = createServer(
    {
      maxHeaderSize: 64 << 10,
      keepAliveTimeout: 75_000,
      headersTimeout: config.clientTimeoutMs,
      connectionsCheckingInterval: Math.min(SWEEP_MS_MAX, config.clientTimeoutMs / 4),
      requestTimeout: 0,
      // Refused by us, in our words.
      requireHostHeader: false,
      noDelay: true,
      // Some clients offer HTTP/2 (`h2c`) with every request: declined by answering in HTTP/1.1.
      shouldUpgradeCallback: (req: IncomingMessage) =>
        req.method === "GET" && /^websocket$/i.test(req.headers.upgrade ?? ""),
    } as ServerOptions,
    onRequest,
  );
  server.maxHeadersCount = 0;
  server.maxConnections = config.maxConnections + EXCESS_CONNECTIONS;
  server.on("connection", connections.add);
  server.on("drop", () => context.figures.ownError("omnimeter_too_many_connections"));
  server.on("upgrade", onUpgrade);
  server.on("clientError", (error, socket) => refuseGarbage(context.figures, error, socket));
  server.on("error", (error: NodeJS.ErrnoException) =>
    tell({ type: "failed", code: error.code ?? "", message: error.message }),
  );
  setInterval(
    () => connections.sweep(performance.now()),
    Math.min(SWEEP_MS_MAX, Math.ceil(config.clientTimeoutMs / 4)),
  ).unref();

  process.on("message", (message: ToWorker, socket: unknown) => {
    if (message.type === "listen") server.listen(socket, BACKLOG, () => tell({ type: "listening" }));
    if (message.type === "tally") tell({ type: "tally", tally: tally() });
    if (message.type === "metrics") waitingForMetrics.shift()?.end(message.text);
    if (message.type === "stop") leave(message);
  });
  process.on("disconnect", () => {
    // The main process is dead, and a successor will want this spool: what is in flight is interrupted.
    if (!farewell) process.exit(1);
    leave({ drainMs: config.drainMs, socketsMs: 0, quietMs: 0 });
  });
  // The main process tells when to stop: a signal to the whole group must not end calls before their time.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

  function onRequest(req: IncomingMessage, res: ServerResponse) {
    const refusal = connections.begin(req, res) ?? admits(req);
    if (refusal) {
      res.shouldKeepAlive = false;
      return answerOwnError(context.figures, res, refusal.status, refusal.code, refusal.message);
    }
    const route = routeOf(req.url as string, config.upstreams);
    if (route.kind === "relay") {
      const call = new Relay(context, req, res, upstreams.get(route.upstream), route.target);
      connections.carry(req.socket, call);
      return call.begin();
    }
    if (route.kind === "none") return answerOwnError(context.figures, res, 404, route.code, route.message);
    if (route.name === "feedback") return answerFeedback(context, req, res);
    if (route.name === "metrics") {
      waitingForMetrics.push(res.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }));
      return tell({ type: "metrics" });
    }
    const ready = route.name === "healthz" || !farewell;
    res.writeHead(ready ? 200 : 503, { "content-type": "text/plain" }).end(ready ? "ok\n" : "stopping\n");
  }

  function onUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer) {
    const refusal = connections.upgrade(req.socket) ?? admits(req);
    if (refusal) return refuseUpgrade(socket, refusal);
    const route = routeOf(req.url as string, config.upstreams);
    if (route.kind === "relay") {
      const call = relayUpgrade(context, req, socket, head, upstreams.get(route.upstream), route.target);
      return connections.carry(req.socket, call);
    }
    const { code, message } =
      route.kind === "none" ? route : { code: "omnimeter_unknown_path", message: "there is no WebSocket here." };
    refuseUpgrade(socket, { status: 404, code, message });
  }

  function refuseUpgrade(socket: Duplex, { status, code, message }: Refusal) {
    socket.on("error", () => {});
    context.figures.ownError(code);
    socket.end(ownErrorMessage(status, STATUS_CODES[status] ?? "", code, message));
  }

  function cutSilent(res: ServerResponse, call: OpenCall | null, why: Cut) {
    if (call) return call.cut(why);
    // One of our own pages.
    if (res.headersSent) return void res.destroy();
    res.shouldKeepAlive = false;
    answerOwnError(context.figures, res, why.status, why.code, why.message);
  }

  /** No new connections; calls in flight finish, at the latest at their deadline; then the spool is closed and the process ends. */
  function leave(wanted: Farewell) {
    const now = performance.now();
    const first = farewell === null;
    farewell = {
      drainMs: Math.min(farewell?.drainMs ?? Infinity, now + wanted.drainMs),
      socketsMs: Math.min(farewell?.socketsMs ?? Infinity, now + wanted.socketsMs),
      quietMs: wanted.quietMs,
    };
    if (!first) return;
    // Not the http server's own close: that ends idle connections at once, and with them what is on its way on them.
    NetServer.prototype.close.call(server);
    connections.leave(now);
    const timer = setInterval(() => {
      const { drainMs, socketsMs, quietMs } = farewell as Farewell;
      const now = performance.now();
      const left = connections.closeQuiet(now, quietMs);
      if (left === 0) return end();
      if (now >= socketsMs) for (const call of connections.calls()) call.goAway?.();
      if (now < drainMs) return;
      for (const call of connections.calls()) call.cut(STOPPED);
      clearInterval(timer);
      setTimeout(end, CUT_MS);
    }, LEAVE_TICK_MS);

    function end() {
      clearInterval(timer);
      spool.close();
      // A response is closed when its last byte is the system's to send.
      setTimeout(() => process.exit(0), 50);
    }
  }

  function tally(): WorkerTally {
    const { inFlight, figures } = context;
    return { ...spool.tally(), worker: number, spool: name, run: spool.run, inFlight, figures: figures.read() };
  }

  function tell(message: FromWorker) {
    if (process.connected) process.send?.(message);
  }
}

if (import.meta.main) await startWorker(Number(process.argv[2]));
