/**
 * What the proxy must know of OpenAI's wire, and no more: which path goes where, which headers and query values are
 * secrets, which requests can be asked for their usage.
 */

export type Route =
  | {
      kind: "relay";
      /** Name of an upstream (config.upstreams). */
      upstream: string;
      /** Path and query without `/u/<name>` and `/f/<feature>`. */
      target: string;
    }
  | { kind: "own"; name: "healthz" | "readyz" | "metrics" | "feedback" }
  | { kind: "none"; code: string; message: string };

const RELAYED = /^\/(?:v1|openai)(?:[/?]|$)/;
const PREFIX = /^\/([uf])\/([^/?]+)(?=[/?])/;
const OWN: Record<string, Route> = {
  "/healthz": { kind: "own", name: "healthz" },
  "/readyz": { kind: "own", name: "readyz" },
  "/metrics": { kind: "own", name: "metrics" },
  "/omnimeter/v1/feedback": { kind: "own", name: "feedback" },
};

/** Where a request goes: `/v1/…`, `/openai/…` (Azure), either of them behind `/u/<upstream>` and `/f/<feature>`. */
export function routeOf(url: string, upstreams: Readonly<Record<string, string>>): Route {
  if (url.startsWith("/v1/")) return { kind: "relay", upstream: "default", target: url };
  let upstream = "default";
  let target = url;
  for (let prefix = PREFIX.exec(target); prefix; prefix = PREFIX.exec(target)) {
    if (prefix[1] === "u") upstream = prefix[2] as string;
    target = target.slice(prefix[0].length);
  }
  if (RELAYED.test(target)) {
    if (Object.hasOwn(upstreams, upstream)) return { kind: "relay", upstream, target };
    return {
      kind: "none",
      code: "omnimeter_unknown_upstream",
      message: `No upstream is named "${upstream}". Name it in OMNIMETER_UPSTREAMS (name=url,…) or use one of: ${Object.keys(upstreams).join(", ")}.`,
    };
  }
  const own = OWN[url.split("?", 1)[0] as string];
  if (own) return own;
  return {
    kind: "none",
    code: "omnimeter_unknown_path",
    message:
      "Omnimeter relays paths that begin with /v1 or /openai, also behind /u/<upstream> and /f/<feature>. Set your client's base URL to end in /v1.",
  };
}

/**
 * Headers whose value is a credential, recorded as a fingerprint only: anything named like one, of any gateway. Names that
 * only count tokens are not.
 */
export const isSecretHeader = (lowerCaseName: string): boolean =>
  SECRET_NAME.test(lowerCaseName) && !lowerCaseName.startsWith("x-ratelimit-");

const SECRET_NAME = /(?:^|-)(?:api-?key|key|token|secret|password|auth|authorization|cookie2?)$/;

/** Subprotocols that carry a key, e.g. `openai-insecure-api-key.sk-…`. */
const KEY_SUBPROTOCOL = /^(openai-insecure-api-key\.)(.+)$/;
/** Any query name that ends in one of these words, however its hyphens are written. */
const SECRET_QUERY = /([?&](?:[\w.-]|%2d|%5f)*(?:key|token|secret|sig|signature|password|auth|code)=)([^&#]+)/gi;

/** A `sec-websocket-protocol` value with its keys replaced. */
export const maskSubprotocols = (value: string, fingerprint: (secret: string) => string): string =>
  value
    .split(",")
    .map((one) => one.trim().replace(KEY_SUBPROTOCOL, (_, name, key) => name + fingerprint(key)))
    .join(", ");

/** A path with query with its secret values replaced. */
export const maskQuery = (target: string, fingerprint: (secret: string) => string): string =>
  target.includes("?") ? target.replace(SECRET_QUERY, (_, name, value) => name + fingerprint(value)) : target;

/** Answers that are themselves a credential (ephemeral keys): their body is not kept. */
export const answersSecret = (target: string): boolean =>
  /\/(?:client_secrets|realtime\/sessions|realtime\/transcription_sessions|chatkit\/sessions)(?:[?]|$)/.test(target);

const USAGE_PATHS = /\/(?:chat\/)?completions(?:[?]|$)/;

/** Chat and legacy completions: the only endpoints that state a stream's usage on request. */
export const canIncludeUsage = (method: string, target: string): boolean =>
  method === "POST" && USAGE_PATHS.test(target);

/** A 400 that refuses what was inserted. */
export const refusesIncludeUsage = (body: string): boolean => /stream_options|include_usage/.test(body);
