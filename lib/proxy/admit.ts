import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";

/** Why a request is not served: an answer of ours. */
export interface Refusal {
  status: number;
  code: string;
  message: string;
}

/** Node takes as many as fit into 64 KiB, and leaves out what exceeds its own count without a word. */
export const HEADERS_MAX = 1000;

/**
 * Which requests are served, by what their head says. `host`: the address that is listened on; `allowedHosts`: names that
 * were allowed besides, `*` for any.
 */
export function createAdmission(
  host: string,
  allowedHosts: readonly string[],
): (req: IncomingMessage) => Refusal | null {
  const named = new Set([hostname().toLowerCase(), ...allowedHosts]);
  /** The last one that was allowed: nearly all requests have the same. */
  let known: string | undefined;
  const anyHost = !isLoopback(host) || named.has("*");
  return (req) => {
    if (req.rawHeaders.length > 2 * HEADERS_MAX)
      return {
        status: 431,
        code: "omnimeter_headers_too_large",
        message: `the request has more than ${HEADERS_MAX} headers.`,
      };
    const { host: asked, "transfer-encoding": coding } = req.headers;
    // Its body would go on with that coding still on, and nobody told (RFC 9112, section 6.1).
    if (coding !== undefined && !/^\s*chunked\s*$/i.test(coding))
      return {
        status: 501,
        code: "omnimeter_unknown_coding",
        message: `a request's transfer-encoding can only be chunked, not "${coding.slice(0, 100)}". Name what the body is packed with in content-encoding.`,
      };
    // RFC 9112, section 3.2.
    if (asked === undefined && req.httpVersion === "1.1")
      return { status: 400, code: "omnimeter_bad_request", message: "the request has no Host header." };
    if (anyHost || asked === undefined || asked === known) return null;
    if (isAllowed(asked, named)) {
      known = asked;
      return null;
    }
    return {
      status: 403,
      code: "omnimeter_host_refused",
      message: `it listens on ${host} only and does not know the name "${asked.slice(0, 100)}" (a web page could reach it under a name of its own). Add the name to OMNIMETER_ALLOWED_HOSTS if it is yours.`,
    };
  };
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || host.startsWith("127.");

/**
 * A page in a browser can make a name of its own lead to 127.0.0.1 and then speak to us as if to its own server. It cannot do
 * so with an address, nor with names that no public server resolves: without a dot, or what a container calls us
 * (`host.docker.internal`).
 */
function isAllowed(asked: string, named: ReadonlySet<string>): boolean {
  const name = asked
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    // The dot behind a name that is written in full.
    .replace(/(?<=.)\.$/, "")
    .toLowerCase();
  return !name.includes(".") || named.has(name) || isIP(name) !== 0 || /\.(?:localhost|local|internal)$/.test(name);
}
