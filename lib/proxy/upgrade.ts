import { randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ExchangeEnd, ExchangeEnding } from "#lib/exchange.ts";
import { maskQuery } from "#lib/openai/relay.ts";
import { FRAME } from "#lib/spool/frames.ts";
import { closeFrame } from "./frame-boundary.ts";
import { pipeFrames } from "./frame-pipe.ts";
import { readRequestHeaders, readResponseHeaders, withoutHeader } from "./headers.ts";
import { keepEarly } from "./keep-early.ts";
import { type Cut, type OpenCall, STOPPED } from "./open-call.ts";
import { ownErrorMessage } from "./own-error.ts";
import type { RelayContext } from "./relay-context.ts";
import { createSocketRecord } from "./socket-record.ts";
import { Tap } from "./tap.ts";
import { withTrace } from "./trace-headers.ts";
import type { Upstream } from "./upstreams.ts";

/** Going away (RFC 6455, section 7.4.1). */
const GOING_AWAY = 1001;
/** After so long a silence the system asks whether the other side is still there; of about ten minutes without an answer it makes an end. */
const KEEP_ALIVE_MS = 60_000;
/** How long both sides have to answer a goodbye. */
const GOODBYE_MS = 2000;

/**
 * Relays a WebSocket: the upgrade goes to the upstream as it came (but for extensions: compressed frames could not be read), then both
 * sockets are piped, so frames, subprotocols, pings and close codes pass as they are. Recorded are the head, each message and how it ended.
 */
export function relayUpgrade(
  context: RelayContext,
  req: IncomingMessage,
  client: Duplex,
  first: Buffer,
  upstream: Upstream,
  target: string,
): OpenCall {
  const startedAt = performance.now();
  const at = () => performance.now() - startedAt;
  const id = context.newId();
  const { spool, fingerprint } = context;
  const headers = readRequestHeaders(req.rawHeaders, fingerprint, context.keepHeadersBytes);
  if (context.traces) headers.forward = withTrace(headers.forward, id);
  let seq = 0;
  let finished = false;
  let sentAtMs: number | null = null;
  let joined = false;
  /** The upstream's answer is on its way: nothing of ours may stand in it. */
  let refused = false;
  /** What waits for the end to be written; null: it is. */
  let waiting: (() => void)[] | null = [];
  /** The proxy is being stopped, and both sides have been told. */
  let goodbyeSaid = false;
  const passed = createSocketRecord(context, (type, wireBytes, kind, text, endsCall) => {
    if (seq && !finished) spool.message(type, seq, at(), wireBytes, kind, text, endsCall);
  });
  /** Something that closes the upstream's side, as far as it is there. */
  let hangUp = () => {};
  /** Before the upgrade is answered there is nobody to say goodbye to. */
  let goAway = () => cut(STOPPED);
  client.on("error", () => {});
  client.on("close", () => {
    over("client_aborted", "the client closed the connection");
    hangUp();
  });
  const early = keepEarly(client, first, () => client.destroy());
  record();
  if (seq === 0) connect();
  return { cut, goAway: () => goAway() };

  function record() {
    if (context.inFlight >= context.maxCalls) return spool.drop("too_many_calls");
    const start = JSON.stringify({
      id,
      kind: "websocket",
      method: req.method,
      target: maskQuery(req.url as string, fingerprint),
      upstreamTarget: maskQuery(target, fingerprint),
      upstream: upstream.name,
      upstreamOrigin: upstream.origin,
      headers: headers.record,
      headersCut: headers.recordCut || undefined,
      startedAtMs: Date.now(),
    });
    seq = spool.start(start, connect);
    if (seq) context.inFlight++;
  }

  function connect() {
    if (finished) return;
    const url = new URL(upstream.origin);
    sentAtMs = at();
    const up = ask(url, {
      path: upstream.prefix + target,
      method: req.method,
      headers: [
        "host",
        url.host,
        ...withoutHeader(headers.forward, "sec-websocket-extensions"),
        "connection",
        "Upgrade",
        "upgrade",
        req.headers.upgrade ?? "websocket",
      ] as unknown as OutgoingHttpHeaders,
      agent: false,
    });
    if (!up) return;
    hangUp = () => up.destroy();
    up.on("upgrade", (answer, socket, rest) => join(answer, socket as Duplex, rest));
    up.on("response", (answer) => refuse(answer));
    up.on("error", (error) => unreachable(error));
    up.end();
  }

  /** Node refuses some headers that came in well-formed (a `trailer` on a GET): said to the client, not thrown. */
  function ask(url: URL, options: RequestOptions) {
    try {
      const send = url.protocol === "https:" ? httpsRequest : httpRequest;
      return send({ protocol: url.protocol, hostname: url.hostname, port: url.port, ...options });
    } catch (error) {
      unreachable(error as Error);
      return null;
    }
  }

  function join(answer: IncomingMessage, socket: Duplex, rest: Buffer) {
    joined = true;
    head(answer);
    countWhileOpen();
    client.write(headText(answer), "latin1");
    for (const one of [client, socket] as Partial<Socket>[]) {
      one.setNoDelay?.(true);
      // Of a peer that has vanished without a word nothing else is heard: neither side need ever write.
      one.setKeepAlive?.(true, KEEP_ALIVE_MS);
    }
    const upwards = pipeFrames(client, socket, early.take(), passed.client);
    const downwards = pipeFrames(socket, client, rest, passed.server, endClient);
    goAway = () => {
      if (finished || goodbyeSaid) return;
      goodbyeSaid = true;
      passed.sayClose(GOING_AWAY);
      let answers = 0;
      const answered = () => {
        if (++answers === 2) cut(STOPPED);
      };
      upwards.sayClose(closeFrame(GOING_AWAY, "the proxy is being stopped", randomBytes(4)), answered);
      downwards.sayClose(closeFrame(GOING_AWAY, "the proxy is being stopped", null), answered);
      setTimeout(cut, GOODBYE_MS, STOPPED);
    };
    // Whoever ends first has closed it; that the other side then hangs up is how it goes.
    let clientEnded = false;
    client.on("end", () => {
      clientEnded = true;
    });
    const ended = () =>
      clientEnded
        ? over("client_aborted", "the client closed the connection")
        : over("upstream_reset", "the upstream closed the connection without a Close frame");
    socket.on("end", ended);
    socket.on("error", (error) => {
      over("upstream_reset", (error as NodeJS.ErrnoException).code);
      client.destroy();
    });
    socket.on("close", endClient);
    hangUp = () => socket.destroy();

    /** Whoever has the end of a connection has one that is recorded. */
    function endClient() {
      ended();
      if (waiting) waiting.push(() => client.end());
      else client.end();
    }
  }

  /** After a Close frame connections may end as they like; `otherwise` nobody has said one. */
  function over(otherwise: ExchangeEnding, cause?: string) {
    if (goodbyeSaid) finish(STOPPED.ending, STOPPED.message);
    else if (passed.closed) finish("completed");
    else finish(otherwise, cause);
  }

  /** What has been said goes out first: a goodbye is of no use when a reset overtakes it. */
  function cut(why: Cut) {
    if (finished) return;
    hangUp();
    finish(why.ending, why.message, () => {
      if (joined || refused) return void client.end(() => client.destroy());
      context.figures.ownError(why.code);
      client.end(ownErrorMessage(why.status, "Service Unavailable", why.code, why.message));
    });
  }

  function countWhileOpen() {
    if (client.closed) return;
    context.figures.websocket(1);
    client.on("close", () => context.figures.websocket(-1));
  }

  /** The upstream said no to the upgrade: its answer passes as it is. */
  function refuse(answer: IncomingMessage) {
    refused = true;
    early.take();
    head(answer);
    client.write(headText(answer), "latin1");
    const body = new Tap(spool, FRAME.responseChunk, context.keepBytes, false);
    answer.on("data", (chunk: Buffer) => {
      if (!client.write(chunk)) answer.pause();
      body.chunk(seq, at(), chunk);
      passed.server.bytes = body.bytes;
    });
    client.on("drain", () => answer.resume());
    answer.on("error", (error) => {
      finish("upstream_reset", (error as NodeJS.ErrnoException).code);
      client.destroy();
    });
    answer.on("end", () => finish("completed", undefined, () => client.end()));
  }

  function unreachable(error: Error) {
    // What breaks off behind its head is the answer's own error.
    if (finished || refused) return;
    const cause = (error as NodeJS.ErrnoException).code ?? error.message;
    const message = `the upstream cannot be reached (${upstream.origin}: ${cause}). Check OMNIMETER_UPSTREAM and the network, then try again.`;
    finish("unreachable", cause, () => {
      context.figures.ownError("omnimeter_upstream_unreachable");
      client.end(ownErrorMessage(502, "Bad Gateway", "omnimeter_upstream_unreachable", message));
    });
  }

  function head(answer: IncomingMessage) {
    context.figures.answered(answer.statusCode as number);
    if (!seq) return;
    const { record: kept } = readResponseHeaders(answer.rawHeaders, fingerprint, context.keepHeadersBytes);
    spool.head(seq, at(), JSON.stringify({ status: answer.statusCode, headers: kept }));
  }

  /** The answer's head as it came, with our id; a refused upgrade closes its connection. */
  function headText(answer: IncomingMessage) {
    const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
    const raw = answer.rawHeaders;
    const upgraded = answer.statusCode === 101;
    for (let i = 0; i < raw.length; i += 2) {
      const lower = (raw[i] as string).toLowerCase();
      if (!upgraded && (lower === "transfer-encoding" || lower === "connection" || lower === "keep-alive")) continue;
      lines.push(`${raw[i]}: ${raw[i + 1]}`);
    }
    if (!upgraded) lines.push("connection: close");
    lines.push(`x-omnimeter-call-id: ${id}`, "", "");
    return lines.join("\r\n");
  }

  function finish(ending: ExchangeEnding, cause?: string, letGo: () => void = () => {}) {
    if (finished) return;
    const socket = passed.finish();
    finished = true;
    context.figures.relayed(socket.clientBytes, socket.upstreamBytes);
    const proceed = () => {
      letGo();
      for (const then of waiting ?? []) then();
      waiting = null;
    };
    if (seq === 0) return proceed();
    context.inFlight--;
    const end: ExchangeEnd = {
      ending,
      cause,
      requestEndAtMs: null,
      sentAtMs,
      connectMs: null,
      responseEndAtMs: at(),
      endAtMs: at(),
      requestBytes: socket.clientBytes,
      responseBytes: socket.upstreamBytes,
      socket,
    };
    spool.end(seq, at(), JSON.stringify(end), proceed);
  }
}
