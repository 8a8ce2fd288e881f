import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { ExchangeEnd, ExchangeEnding } from "#lib/exchange.ts";
import { maskQuery } from "#lib/openai/relay.ts";
import { readRequestHeaders, readResponseHeaders } from "./headers.ts";
import { ownErrorMessage } from "./own-error.ts";
import type { RelayContext } from "./relay.ts";
import { withTrace } from "./trace-headers.ts";
import type { Upstream } from "./upstreams.ts";

/**
 * Relays a WebSocket: the upgrade goes to the upstream as it came, then both sockets are piped, so frames, subprotocols,
 * pings and close codes pass as they are. Recorded are the head, the bytes each way and how it ended.
 */
export function relayUpgrade(
  context: RelayContext,
  req: IncomingMessage,
  client: Duplex,
  first: Buffer,
  upstream: Upstream,
  target: string,
): void {
  const startedAt = performance.now();
  const at = () => performance.now() - startedAt;
  const id = context.newId();
  const { spool, fingerprint } = context;
  const headers = readRequestHeaders(req.rawHeaders, fingerprint, context.keepHeadersBytes);
  if (context.traces) headers.forward = withTrace(headers.forward, id);
  let seq = 0;
  let finished = false;
  let sentAtMs: number | null = null;
  let clientBytes = 0;
  let upstreamBytes = 0;
  client.on("error", () => {});
  record();
  if (seq === 0) connect();

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
    if (client.destroyed) return finish("client_aborted", "the client closed the connection");
    const url = new URL(upstream.origin);
    sentAtMs = at();
    const up = ask(url, {
      path: upstream.prefix + target,
      method: req.method,
      headers: [
        "host",
        url.host,
        ...headers.forward,
        "connection",
        "Upgrade",
        "upgrade",
        req.headers.upgrade ?? "websocket",
      ] as unknown as OutgoingHttpHeaders,
      agent: false,
    });
    if (!up) return;
    client.on("close", () => {
      if (!finished) finish("client_aborted", "the client closed the connection");
      up.destroy();
    });
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
    head(answer);
    countWhileOpen();
    client.write(headText(answer), "latin1");
    for (const one of [client, socket] as { setNoDelay?: (on: boolean) => void }[]) one.setNoDelay?.(true);
    pass(client, socket, first, (bytes) => {
      clientBytes += bytes;
    });
    pass(socket, client, rest, (bytes) => {
      upstreamBytes += bytes;
    });
    // Whoever ends first has closed it; that the other side then hangs up is how it goes.
    socket.on("end", () => finish("completed"));
    socket.on("error", (error) => {
      finish("upstream_reset", (error as NodeJS.ErrnoException).code);
      client.destroy();
    });
    socket.on("close", () => {
      finish("completed");
      client.end();
    });
    client.on("close", () => socket.destroy());
  }

  function countWhileOpen() {
    if (client.closed) return;
    context.figures.websocket(1);
    client.on("close", () => context.figures.websocket(-1));
  }

  /** The upstream said no to the upgrade: its answer passes as it is. */
  function refuse(answer: IncomingMessage) {
    head(answer);
    client.write(headText(answer), "latin1");
    answer.on("data", (chunk: Buffer) => {
      upstreamBytes += chunk.length;
      if (seq) spool.chunk(4, seq, at(), upstreamBytes - chunk.length, chunk);
      client.write(chunk);
    });
    answer.on("error", () => client.destroy());
    answer.on("end", () => finish("completed", undefined, () => client.end()));
  }

  function unreachable(error: Error) {
    if (finished) return;
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
    finished = true;
    context.figures.relayed(clientBytes, upstreamBytes);
    if (seq === 0) return letGo();
    context.inFlight--;
    const end: ExchangeEnd = {
      ending,
      cause,
      requestEndAtMs: null,
      sentAtMs,
      connectMs: null,
      responseEndAtMs: at(),
      endAtMs: at(),
      requestBytes: clientBytes,
      responseBytes: upstreamBytes,
      socket: { closeCode: null, clientBytes, upstreamBytes },
    };
    spool.end(seq, at(), JSON.stringify(end), letGo);
  }
}

/** One direction, with back-pressure and half-close. */
function pass(from: Duplex, to: Duplex, first: Buffer, seen: (bytes: number) => void) {
  if (first.length) {
    seen(first.length);
    to.write(first);
  }
  from.on("data", (chunk: Buffer) => {
    seen(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
}
