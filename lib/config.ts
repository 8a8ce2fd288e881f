import { resolve } from "node:path";

export interface Config {
  host: string;
  /** 0 takes any free port. */
  proxyPort: number;
  dashboardPort: number;
  /** Name → base URL (origin and optional path prefix, no trailing slash). `default` is always there. */
  upstreams: Readonly<Record<string, string>>;
  dataDir: string;
  workers: number;
  capture: "full" | "facts";
  /** Unset: embedded Postgres below `dataDir`. */
  databaseUrl: string | undefined;
  /** Bytes kept per body and direction; what is beyond is relayed, counted and marked as cut. */
  keepBytes: number;
  keepHeadersBytes: number;
  /** Calls recorded at the same time per worker; more are relayed unrecorded and counted. */
  maxCalls: number;
  spoolBytes: number;
  /** Stored segments stay on disk. */
  keepSpool: boolean;
  /** Audio is kept as it is, not only counted: sealed, with the content's retention. */
  keepAudio: boolean;
  /** Name of a deployment → the model behind it, for answers that name none (Azure's transcriptions and speech). */
  deployments: Readonly<Record<string, string>>;
  /** Upstream → key to listen with to its WebRTC and SIP calls. None: they are not listened to. */
  joinKeys: Readonly<Record<string, string>>;
  /** Days after which what was said, and calls, are dropped (db/retention.ts). null: never. */
  contentDays: number | null;
  factsDays: number | null;
  /** fsync each batch: survives a power cut, costs throughput. */
  fsync: boolean;
  includeUsage: boolean;
  /** Larger streaming requests go untouched. */
  includeUsageBytes: number;
  connectTimeoutMs: number;
  /** A client whose request is not whole and that says nothing for so long is answered 408. */
  clientTimeoutMs: number;
  /** Of clients, per worker; more are refused. */
  maxConnections: number;
  /** Names under which a proxy on loopback may be asked, besides those that only this machine can mean. Lower case. */
  allowedHosts: readonly string[];
  /** How long calls in flight may go on when the proxy is stopped. */
  drainMs: number;
  /** To one upstream, per worker. Calls beyond wait for one of them, and that wait counts as our own time. */
  upstreamConnections: number;
  /** What is shown is made up (`npm run demo`): every page says so. */
  demo: boolean;
  telemetry: Telemetry;
  /** Where a trace is shown, with {trace_id} and perhaps {span_id} in it. null: nowhere. */
  traceUrl: string | null;
}

/** What leaves by OpenTelemetry, as far as the SDK does not read it itself. All off unless a collector is named. */
export interface Telemetry {
  /** `queueSpans`: most spans that wait for the collector. */
  traces: { protocol: OtlpProtocol; queueSpans: number } | null;
  metrics: { protocol: OtlpProtocol; everyMs: number } | null;
  /** Spans hold what was said. */
  content: boolean;
}

type OtlpProtocol = "http/protobuf" | "http/json";

/** Every variable, what it means when it is not set, and a line for `npm start -- --help`. */
export const SETTINGS = {
  OMNIMETER_PROXY_PORT: ["4000", "port of the proxy; 0 takes a free one"],
  OMNIMETER_DASHBOARD_PORT: ["3000", "port of the dashboard; 0 takes a free one"],
  OMNIMETER_HOST: ["127.0.0.1", "address that both listen on"],
  OMNIMETER_UPSTREAM: ["https://api.openai.com", "where /v1/… goes"],
  OMNIMETER_UPSTREAMS: ["", "more upstreams as name=url,name=url; reached by /u/<name>/v1/…"],
  OMNIMETER_DATA_DIR: [".omnimeter", "folder for the spool, the keys and the embedded database"],
  OMNIMETER_WORKERS: ["1", "proxy workers"],
  OMNIMETER_CAPTURE: ["full", "full keeps what was said (redacted and sealed); facts keeps figures only"],
  DATABASE_URL: ["", "PostgreSQL 15 or later; not set: an embedded one"],
  OMNIMETER_KEEP_BYTES: [`${8 << 20}`, "bytes kept per body; more is relayed and marked as cut"],
  OMNIMETER_KEEP_HEADERS_BYTES: [`${32 << 10}`, "bytes of headers kept per message"],
  OMNIMETER_MAX_CALLS: ["20000", "calls recorded at the same time per worker; more are relayed and counted"],
  OMNIMETER_SPOOL_BYTES: [`${8 * 2 ** 30}`, "most bytes that wait on disk for the recorder"],
  OMNIMETER_KEEP_SPOOL: ["off", "on keeps spool segments after they are stored"],
  OMNIMETER_KEEP_AUDIO: ["off", "on keeps audio itself, sealed, as long as what was said; off counts it"],
  OMNIMETER_DEPLOYMENTS: [
    "",
    "models behind deployments whose answers name none, as deployment=model,deployment=model",
  ],
  OMNIMETER_JOIN_CALLS_KEY: [
    "",
    "an API key: the recorder listens to WebRTC and SIP calls; keys of other upstreams as name=key,name=key",
  ],
  OMNIMETER_CONTENT_DAYS: ["90", "days after which what was said is dropped; forever keeps it"],
  OMNIMETER_FACTS_DAYS: ["forever", "days after which calls are dropped, by whole weeks; their sums stay"],
  OMNIMETER_FSYNC: ["off", "on survives a power cut, and costs throughput"],
  OMNIMETER_INCLUDE_USAGE: ["on", "asks streams for their usage where the client did not"],
  OMNIMETER_INCLUDE_USAGE_BYTES: [`${1 << 20}`, "larger streaming requests go out untouched"],
  OMNIMETER_DEMO: ["off", "on makes every page say that its data is made up"],
  OMNIMETER_CONNECT_TIMEOUT_MS: ["10000", "how long a connection to the upstream may take"],
  OMNIMETER_CLIENT_TIMEOUT_MS: ["60000", "how long a client may be silent in the middle of a request"],
  OMNIMETER_MAX_CONNECTIONS: ["20000", "most connections of clients per worker; more are refused"],
  OMNIMETER_ALLOWED_HOSTS: ["", "more names that a proxy on loopback answers to, as name,name; * for any"],
  OMNIMETER_DRAIN_MS: ["30000", "how long calls in flight may go on when the proxy is stopped"],
  OMNIMETER_UPSTREAM_CONNECTIONS: ["4096", "most connections to one upstream per worker; calls beyond wait"],
  OMNIMETER_TRACE_URL: ["", "links calls to their traces: https://jaeger.example/trace/{trace_id}, also {span_id}"],
} as const satisfies Record<string, readonly [fallback: string, meaning: string]>;

type Name = keyof typeof SETTINGS;
type Env = Readonly<Record<string, string | undefined>>;

/** Every variable that is wrong, in one message. */
export class ConfigError extends Error {
  readonly code = "bad_config";
}

/**
 * The only reader of the environment. Returns a frozen value.
 * @throws ConfigError naming every bad variable and what to write instead.
 */
export function readConfig(env: Env = process.env): Config {
  const { text, whole, days, oneOf, onOff, origin, host, traceUrl, wrong } = reader(env);
  const databaseUrl = text("DATABASE_URL") || undefined;
  if (databaseUrl && !isDatabaseUrl(databaseUrl))
    // The value may hold a password: it is not repeated.
    wrong.push("DATABASE_URL does not look like postgres://user:password@host:5432/database");
  const upstreams: Record<string, string> = { default: origin("OMNIMETER_UPSTREAM", text("OMNIMETER_UPSTREAM")) };
  for (const pair of text("OMNIMETER_UPSTREAMS")
    .split(",")
    .filter((one) => one.trim())) {
    const [, name, url] = /^\s*([a-z0-9][a-z0-9_-]{0,62})=(\S+)\s*$/.exec(pair) ?? [];
    if (name && url && name !== "default" && !upstreams[name])
      upstreams[name] = origin(`OMNIMETER_UPSTREAMS (${name})`, url);
    else
      wrong.push(
        `OMNIMETER_UPSTREAMS has "${pair.trim()}"; write name=url,name=url with different names of a-z, 0-9, - and _ (not "default")`,
      );
  }
  const deployments: Record<string, string> = {};
  for (const pair of text("OMNIMETER_DEPLOYMENTS")
    .split(",")
    .filter((one) => one.trim())) {
    const [, name, model] = /^\s*([^=\s]{1,128})=([^=\s]{1,128})\s*$/.exec(pair) ?? [];
    if (name && model && !Object.hasOwn(deployments, name)) deployments[name] = model;
    else
      wrong.push(
        `OMNIMETER_DEPLOYMENTS has "${pair.trim()}"; write deployment=model,deployment=model, each deployment once`,
      );
  }
  const joinKeys: Record<string, string> = {};
  for (const part of text("OMNIMETER_JOIN_CALLS_KEY")
    .split(",")
    .filter((one) => one.trim())) {
    const [, name = "default", key] = /^\s*(?:([^=\s]+)=)?([\w.~+/-]{1,512})\s*$/.exec(part) ?? [];
    if (key && Object.hasOwn(upstreams, name) && !Object.hasOwn(joinKeys, name)) joinKeys[name] = key;
    // The value is a secret: it is not repeated.
    else
      wrong.push(
        "OMNIMETER_JOIN_CALLS_KEY takes an API key, or name=key,name=key with names of OMNIMETER_UPSTREAMS, each once",
      );
  }
  const config: Config = {
    host: host("OMNIMETER_HOST"),
    proxyPort: whole("OMNIMETER_PROXY_PORT", 0, 65_535),
    dashboardPort: whole("OMNIMETER_DASHBOARD_PORT", 0, 65_535),
    upstreams: Object.freeze(upstreams),
    dataDir: resolve(text("OMNIMETER_DATA_DIR")),
    workers: whole("OMNIMETER_WORKERS", 1, 256),
    capture: oneOf("OMNIMETER_CAPTURE", ["full", "facts"]),
    databaseUrl,
    keepBytes: whole("OMNIMETER_KEEP_BYTES", 0, 1 << 30),
    keepHeadersBytes: whole("OMNIMETER_KEEP_HEADERS_BYTES", 0, 1 << 20),
    maxCalls: whole("OMNIMETER_MAX_CALLS", 1, 1_000_000),
    spoolBytes: whole("OMNIMETER_SPOOL_BYTES", 1 << 20, Number.MAX_SAFE_INTEGER),
    keepSpool: onOff("OMNIMETER_KEEP_SPOOL"),
    keepAudio: onOff("OMNIMETER_KEEP_AUDIO"),
    deployments: Object.freeze(deployments),
    joinKeys: Object.freeze(joinKeys),
    contentDays: days("OMNIMETER_CONTENT_DAYS"),
    factsDays: days("OMNIMETER_FACTS_DAYS"),
    fsync: onOff("OMNIMETER_FSYNC"),
    includeUsage: onOff("OMNIMETER_INCLUDE_USAGE"),
    includeUsageBytes: whole("OMNIMETER_INCLUDE_USAGE_BYTES", 0, 64 << 20),
    connectTimeoutMs: whole("OMNIMETER_CONNECT_TIMEOUT_MS", 1, 600_000),
    clientTimeoutMs: whole("OMNIMETER_CLIENT_TIMEOUT_MS", 100, 3_600_000),
    maxConnections: whole("OMNIMETER_MAX_CONNECTIONS", 1, 1_000_000),
    allowedHosts: Object.freeze(
      text("OMNIMETER_ALLOWED_HOSTS")
        .toLowerCase()
        .split(",")
        .map((name) => name.trim())
        .filter(Boolean),
    ),
    drainMs: whole("OMNIMETER_DRAIN_MS", 0, 3_600_000),
    upstreamConnections: whole("OMNIMETER_UPSTREAM_CONNECTIONS", 1, 65_535),
    demo: onOff("OMNIMETER_DEMO"),
    telemetry: readTelemetry(env, wrong),
    traceUrl: traceUrl("OMNIMETER_TRACE_URL"),
  };
  // "facts" means that nothing that was said is kept anywhere.
  if (config.capture === "facts") config.telemetry.content = false;
  if (config.proxyPort !== 0 && config.proxyPort === config.dashboardPort)
    wrong.push(`OMNIMETER_PROXY_PORT and OMNIMETER_DASHBOARD_PORT are both ${config.proxyPort}; they must differ`);
  // Both signals may stumble over the same variable.
  if (wrong.length) throw new ConfigError(`Omnimeter cannot start: ${[...new Set(wrong)].join("; ")}.`);
  return Object.freeze(config);
}

/** A hundred years: more is forever. */
const DAYS_MAX = 36_500;

/** One function per kind of value; each adds a sentence to `wrong` and carries on, so that all are named at once. */
function reader(env: Env) {
  const wrong: string[] = misspelt(env);
  const text = (name: Name): string => env[name]?.trim() || SETTINGS[name][0];

  function whole(name: Name, least: number, most: number): number {
    const value = Number(text(name));
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    wrong.push(`${name} is "${text(name)}"; it takes a whole number from ${least} to ${most}`);
    return least;
  }

  function days(name: Name): number | null {
    if (text(name).toLowerCase() === "forever") return null;
    const value = Number(text(name));
    if (Number.isInteger(value) && value >= 1 && value <= DAYS_MAX) return value;
    wrong.push(`${name} is "${text(name)}"; it takes a whole number of days from 1 to ${DAYS_MAX}, or forever`);
    return null;
  }

  function oneOf<const T extends string>(name: Name, allowed: readonly [T, ...T[]]): T {
    const value = allowed.find((one) => one === text(name).toLowerCase());
    if (value) return value;
    wrong.push(`${name} is "${text(name)}"; it takes ${allowed.join(" or ")}`);
    return allowed[0];
  }

  function host(name: Name): string {
    const value = text(name);
    if (!/^[\w.:%-]+$/.test(value) || /:\d+$/.test(value.replace(/^.*:.*:/, "")))
      wrong.push(`${name} is "${value}"; it takes an address or a host name without a port`);
    return value;
  }

  function origin(name: string, raw: string): string {
    const url = URL.canParse(raw) ? new URL(raw) : null;
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash)
      wrong.push(`${name} is "${withoutUser(raw)}"; it takes an http or https URL without user, query or fragment`);
    return raw.replace(/\/+$/, "").replace(/\/v1$/, "");
  }

  function traceUrl(name: Name): string | null {
    const raw = text(name);
    if (!raw) return null;
    const url = URL.canParse(raw) ? new URL(raw) : null;
    if (!url || !/^https?:$/.test(url.protocol) || url.username || !raw.includes("{trace_id}"))
      wrong.push(
        `${name} is "${withoutUser(raw)}"; it takes an http or https URL without user, with {trace_id} where the id belongs`,
      );
    return raw;
  }

  const onOff = (name: Name) => oneOf(name, ["on", "off"]) === "on";
  return { text, whole, days, oneOf, onOff, host, origin, traceUrl, wrong };
}

/** OpenTelemetry's standard variables. What concerns a signal is looked at only when that signal is on. */
function readTelemetry(env: Env, wrong: string[]): Telemetry {
  const text = (name: string): string => env[name]?.trim() ?? "";
  const off = text("OTEL_SDK_DISABLED").toLowerCase() === "true";

  function signal(name: "TRACES" | "METRICS"): { protocol: OtlpProtocol } | null {
    const exporter = oneOf(`OTEL_${name}_EXPORTER`, ["", "otlp", "none"]);
    const endpoint = `OTEL_EXPORTER_OTLP_${name}_ENDPOINT`;
    const given = [endpoint, "OTEL_EXPORTER_OTLP_ENDPOINT"].filter((one) => text(one));
    if (off || exporter === "none" || (!exporter && !given.length)) return null;
    for (const one of given)
      if (!/^https?:\/\/[^/]/.test(text(one)) || !URL.canParse(text(one)))
        // The value may hold a password: it is not repeated.
        wrong.push(`${one} is no http or https URL`);
    const own = `OTEL_EXPORTER_OTLP_${name}_PROTOCOL`;
    const protocol = oneOf(text(own) ? own : "OTEL_EXPORTER_OTLP_PROTOCOL", ["", "http/protobuf", "http/json"]);
    return { protocol: protocol || "http/protobuf" };
  }

  function oneOf<const T extends string>(name: string, allowed: readonly ["", ...T[]]): "" | T {
    const value = allowed.find((one) => one.toLowerCase() === text(name).toLowerCase());
    if (value === undefined) wrong.push(`${name} is "${text(name)}"; it takes ${allowed.slice(1).join(" or ")}`);
    return value ?? "";
  }

  function whole(name: string, fallback: number, most: number): number {
    const value = Number(text(name) || fallback);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    wrong.push(`${name} is "${text(name)}"; it takes a whole number from 1 to ${most}`);
    return fallback;
  }

  const traces = signal("TRACES");
  const metrics = signal("METRICS");
  const capture = oneOf("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", [
    "",
    "NO_CONTENT",
    "SPAN_ONLY",
    "EVENT_ONLY",
    "SPAN_AND_EVENT",
    "true",
    "false",
  ]);
  return {
    traces: traces && { ...traces, queueSpans: whole("OTEL_BSP_MAX_QUEUE_SIZE", 2048, 1_000_000) },
    metrics: metrics && { ...metrics, everyMs: whole("OTEL_METRIC_EXPORT_INTERVAL", 60_000, 3_600_000) },
    // There are no content events: EVENT_ONLY is no content.
    content: traces !== null && ["SPAN_ONLY", "SPAN_AND_EVENT", "true"].includes(capture),
  };
}

/** A setting with a slip in its name would otherwise be ignored without a word. */
function misspelt(env: Env): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("OMNIMETER_") && !name.startsWith("OMNIMETER_TEST_") && !(name in SETTINGS))
    .map((name) => `${name} is not a setting (npm start -- --help lists them)`);
}

/** Several hosts are allowed, so this is not for the platform's own URL parser. */
const isDatabaseUrl = (raw: string) => /^postgres(ql)?:\/\/\S+$/.test(raw);
const withoutUser = (raw: string) => raw.replace(/\/\/[^/@]*@/, "//…@");
