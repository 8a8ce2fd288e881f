import { isSecretHeader, maskSubprotocols } from "#lib/openai/relay.ts";

/** RFC 9110, section 7.6.1, and what frames a message on one connection only. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
  "expect",
  "host",
]);

export interface RequestHeaders {
  /** Name, value, … for the upstream. */
  forward: string[];
  /** Name, value, … for the spool: secrets are fingerprints. */
  record: string[];
  recordCut: boolean;
  contentLength: number | null;
  chunked: boolean;
  json: boolean;
  multipart: boolean;
  encoded: boolean;
}

/** One pass over the headers as received: what goes upstream, what is recorded, and the few facts relaying needs. */
export function readRequestHeaders(
  raw: readonly string[],
  fingerprint: (secret: string) => string,
  keepBytes: number,
): RequestHeaders {
  const out: RequestHeaders = {
    forward: [],
    record: [],
    recordCut: false,
    contentLength: null,
    chunked: false,
    json: false,
    multipart: false,
    encoded: false,
  };
  let perHop: Set<string> | null = null;
  let kept = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const lower = name.toLowerCase();

    kept += name.length + value.length;
    if (kept > keepBytes) out.recordCut = true;
    else out.record.push(name, recorded(lower, value, fingerprint));

    switch (lower) {
      case "content-length":
        out.contentLength = Number(value);
        break;
      case "transfer-encoding":
        out.chunked = true;
        break;
      case "content-type":
        out.json = /^application\/(?:[\w.+-]+\+)?json\b/i.test(value);
        out.multipart = !out.json && /^multipart\//i.test(value);
        break;
      case "content-encoding":
        out.encoded = value !== "" && value.toLowerCase() !== "identity";
        break;
      case "connection":
        perHop = namedByConnection(value, perHop);
        break;
      case "te":
        // Without it an upstream may leave its trailers out.
        if (/\btrailers\b/i.test(value)) out.forward.push(name, "trailers");
        break;
      case "trailer":
        // Trailers of a request are not passed on (undici cannot), so they must not be announced.
        continue;
      case "baggage": {
        const rest = foreignBaggage(value);
        if (rest) out.forward.push(name, rest);
        continue;
      }
    }
    if (!HOP_BY_HOP.has(lower) && !lower.startsWith("x-omnimeter-")) out.forward.push(name, value);
  }
  if (perHop) out.forward = without(out.forward, perHop);
  return out;
}

const recorded = (lower: string, value: string, fingerprint: (secret: string) => string): string => {
  if (isSecretHeader(lower)) return fingerprint(value);
  return lower === "sec-websocket-protocol" ? maskSubprotocols(value, fingerprint) : value;
};

/** `baggage` without Omnimeter's own members; the very same text when there are none. */
export function foreignBaggage(value: string): string {
  if (!value.includes("omnimeter.")) return value;
  return value
    .split(",")
    .filter((member) => !member.trim().startsWith("omnimeter."))
    .join(",")
    .trim();
}

export interface ResponseHeaders {
  /** Name, value, … for the client. */
  forward: string[];
  record: string[];
  recordCut: boolean;
  contentLength: number | null;
  encoded: boolean;
  eventStream: boolean;
}

/** The same for the upstream's answer. `raw` as undici gives it: name, value, … as bytes. */
export function readResponseHeaders(
  raw: readonly (Buffer | string)[],
  fingerprint: (secret: string) => string,
  keepBytes: number,
): ResponseHeaders {
  const out: ResponseHeaders = {
    forward: [],
    record: [],
    recordCut: false,
    contentLength: null,
    encoded: false,
    eventStream: false,
  };
  let perHop: Set<string> | null = null;
  let kept = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = text(raw[i] as Buffer | string);
    const value = text(raw[i + 1] as Buffer | string);
    const lower = name.toLowerCase();
    kept += name.length + value.length;
    if (kept > keepBytes) out.recordCut = true;
    else out.record.push(name, isSecretHeader(lower) ? fingerprint(value) : value);
    switch (lower) {
      case "content-length":
        out.contentLength = Number(value);
        break;
      case "content-encoding":
        out.encoded = value !== "" && value.toLowerCase() !== "identity";
        break;
      case "transfer-encoding":
        // Only the chunks are taken apart on the way; another coding stays on, so it must stay announced.
        if (!/^\s*chunked\s*$/i.test(value)) {
          out.encoded = true;
          out.forward.push(name, /\bchunked\s*$/i.test(value) ? value : `${value}, chunked`);
        }
        break;
      case "content-type":
        out.eventStream = value.startsWith("text/event-stream");
        break;
      case "connection":
        perHop = namedByConnection(value, perHop);
        break;
    }
    if (!HOP_BY_HOP.has(lower)) out.forward.push(name, value);
  }
  if (perHop) out.forward = without(out.forward, perHop);
  return out;
}

const text = (bytes: Buffer | string): string => (typeof bytes === "string" ? bytes : bytes.toString("latin1"));

/** `Connection: keep-alive` names nothing but itself; anything else it names is for this hop only. */
function namedByConnection(value: string, known: Set<string> | null): Set<string> | null {
  let names = known;
  for (const one of value.toLowerCase().split(",")) {
    const name = one.trim();
    if (name && name !== "keep-alive" && name !== "close" && name !== "upgrade" && name !== "te") {
      names ??= new Set();
      names.add(name);
    }
  }
  return names;
}

function without(headers: string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2)
    if (!names.has((headers[i] as string).toLowerCase())) kept.push(headers[i] as string, headers[i + 1] as string);
  return kept;
}

/** The body grew by a few bytes; and an encoded answer could not have the extra chunk taken out again. */
export function forChangedBody(headers: string[], length: number): string[] {
  const out: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const lower = (headers[i] as string).toLowerCase();
    if (lower === "content-length") out.push(headers[i] as string, String(length));
    else if (lower === "accept-encoding") out.push(headers[i] as string, "identity");
    else out.push(headers[i] as string, headers[i + 1] as string);
  }
  return out;
}

export const withoutHeader = (headers: string[], name: string): string[] =>
  headers.filter((_, i) => (headers[i - (i % 2)] as string).toLowerCase() !== name);
