import { createHash } from "node:crypto";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";

/** An answer as it was on the wire, with the arrival of each piece of its body. */
export interface Answer {
  status: number;
  statusText: string;
  /** Name, value, name, value… */
  rawHeaders: string[];
  headers: IncomingMessage["headers"];
  body: Buffer;
  text: string;
  pieces: { atMs: number; bytes: Buffer }[];
  rawTrailers: string[];
  /** 1xx answers that came first. */
  informational: number[];
  /** The message ended as its framing says. False: it broke off. */
  complete: boolean;
}

export interface Ask {
  method?: string;
  /** Name, value, name, value… sent as they are, behind `Host`. */
  headers?: string[];
  body?: Buffer | string | Iterable<Buffer>;
  /** Default: a connection of its own. */
  agent?: Agent;
  /** Keep a hash instead of the body. */
  hashOnly?: boolean;
  signal?: AbortSignal;
}

export interface HashedAnswer extends Answer {
  sha256: string;
  bytes: number;
}

/** One request with its whole answer. Rejects only when no response head came. */
export async function ask(url: string, options: Ask = {}): Promise<HashedAnswer> {
  const informational: number[] = [];
  const from = performance.now();
  const { req, response } = open(url, options);
  req.on("information", ({ statusCode }) => informational.push(statusCode));
  const res = await response;
  const pieces: Answer["pieces"] = [];
  const hash = createHash("sha256");
  let bytes = 0;
  await new Promise<void>((done) => {
    res.on("data", (piece: Buffer) => {
      bytes += piece.length;
      hash.update(piece);
      if (!options.hashOnly) pieces.push({ atMs: performance.now() - from, bytes: piece });
    });
    res.on("error", () => {});
    res.on("close", done);
  });
  const body = Buffer.concat(pieces.map((piece) => piece.bytes));
  return {
    status: res.statusCode ?? 0,
    statusText: res.statusMessage ?? "",
    rawHeaders: res.rawHeaders,
    headers: res.headers,
    body,
    text: body.toString("utf8"),
    pieces,
    rawTrailers: res.rawTrailers,
    informational,
    complete: res.complete,
    sha256: hash.digest("hex"),
    bytes,
  };
}

/** A request whose answer the test reads itself. */
export function open(url: string, options: Ask = {}): { req: ClientRequest; response: Promise<IncomingMessage> } {
  const { host, hostname, port, pathname, search } = new URL(url);
  const { method = "GET", body, headers = [] } = options;
  const framing = named(headers, "content-length") || named(headers, "transfer-encoding");
  const length = typeof body === "string" || Buffer.isBuffer(body) ? Buffer.byteLength(body) : null;
  const sent = ["Host", host, ...headers];
  if (!framing && body !== undefined)
    sent.push(...(length === null ? ["Transfer-Encoding", "chunked"] : ["Content-Length", String(length)]));
  const req = request({
    hostname,
    port,
    path: pathname + search,
    method,
    headers: sent,
    agent: options.agent ?? new Agent({ keepAlive: false }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    req.once("response", resolve);
    req.on("error", reject);
    req.once("close", () => reject(new Error("closed without an answer")));
  });
  // Whoever does not wait for the answer need not hear of its failure.
  response.catch(() => {});
  req.setNoDelay(true);
  if (body === undefined) req.end();
  else if (typeof body === "string" || Buffer.isBuffer(body)) req.end(body);
  else void pour(body, req);
  return { req, response };
}

async function pour(pieces: Iterable<Buffer>, req: ClientRequest) {
  let proceed = () => {};
  req.on("drain", () => proceed()).on("close", () => proceed());
  for (const piece of pieces) {
    if (req.destroyed) return;
    if (!req.write(piece) && !req.destroyed)
      await new Promise<void>((ready) => {
        proceed = ready;
      });
  }
  req.end();
}

const named = (headers: string[], name: string): boolean =>
  headers.some((one, i) => i % 2 === 0 && one.toLowerCase() === name);

/** Everything a server sends on one connection after `text`, and how the connection ended. */
export function rawExchange(
  url: string,
  text: string,
  { quietMs = 1500 } = {},
): Promise<{ received: string; ended: "end" | "reset" | "open" }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(text, "latin1"));
    const settle = (ended: "end" | "reset" | "open") => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ received, ended });
    };
    const timer = setTimeout(() => settle("open"), quietMs);
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    socket.on("end", () => settle("end"));
    socket.on("error", () => settle("reset"));
  });
}

/** Values of one header, in order. */
export const valuesOf = (rawHeaders: string[], name: string): string[] =>
  rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name.toLowerCase());

/** What belongs to one connection or one moment, and what the proxy is documented to add. */
const OF_THE_HOP = new Set(["date", "connection", "keep-alive", "transfer-encoding", "x-omnimeter-call-id"]);

/** Header lines that must be the same direct and through the proxy, in order and as spelled. */
export const lasting = (rawHeaders: string[]): string[] => {
  const lines: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (!OF_THE_HOP.has((rawHeaders[i] as string).toLowerCase())) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return lines;
};
