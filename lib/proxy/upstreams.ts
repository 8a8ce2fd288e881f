import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { buildConnector, Pool } from "undici";
import { createSharedLookup } from "./shared-lookup.ts";

export interface Upstream {
  name: string;
  /** Scheme, host and port. */
  origin: string;
  /** Path in front of `/v1`, usually empty. */
  prefix: string;
  pool: Pool;
  /** It answered 400 to an inserted include_usage: nothing is inserted any more. */
  refusesUsage: boolean;
}

/** Tells a call how long its new connection took. undici publishes the socket right after the call's onRequestStart. */
export interface ConnectTimer {
  sending: { connectMs: number | null } | null;
}

const connectTimes = new WeakMap<Socket, number>();

export function createConnectTimer(): ConnectTimer & { stop(): void } {
  const timer: ConnectTimer = { sending: null };
  const onSendHeaders = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    const ms = connectTimes.get(socket);
    if (ms === undefined) return;
    connectTimes.delete(socket);
    if (timer.sending) timer.sending.connectMs = ms;
  };
  subscribe("undici:client:sendHeaders", onSendHeaders);
  return Object.assign(timer, { stop: () => void unsubscribe("undici:client:sendHeaders", onSendHeaders) });
}

/** Of several addresses the next one is tried when one refuses, or does not answer within a fraction of a second. */
function timedConnector(
  timeout: number,
  lookup: LookupFunction,
  onConnect: (address: string) => void,
): buildConnector.connector {
  const connect = buildConnector({ timeout, allowH2: false, lookup, autoSelectFamily: true });
  return (options, callback) => {
    const before = performance.now();
    connect(options, (...result) => {
      const socket = result[1];
      if (socket) {
        connectTimes.set(socket, performance.now() - before);
        if (socket.remoteAddress) onConnect(socket.remoteAddress);
      }
      callback(...result);
    });
  };
}

export interface UpstreamOptions {
  connectTimeoutMs: number;
  /** To one upstream. */
  connections: number;
  /** How often it is looked whether a name has moved. */
  lookMs?: number;
  lookup?: LookupFunction;
}

/** A name that moves is followed within this. */
const LOOK_MS = 30_000;
/** Quiet times must not cost a TLS handshake per call; an upstream that announces less (`keep-alive: timeout=5`) is obeyed. */
const TLS_IDLE_MS = 30_000;
/** Without TLS a new connection costs next to nothing, and many small servers hang up after 5 s without having said so. */
const PLAIN_IDLE_MS = 4000;

/**
 * One keep-alive pool per upstream. No timeouts of our own once connected: the client decides how long it waits. When
 * all `connections` are busy, calls wait in the pool's queue in the order in which they came; their `sentAtMs` says how long.
 */
export function createUpstreams(
  urls: Readonly<Record<string, string>>,
  options: UpstreamOptions,
): { get(name: string): Upstream; close(): Promise<void> } {
  const all = new Map(Object.entries(urls).map(([name, url]) => [name, createUpstream(name, new URL(url), options)]));
  return {
    get: (name) => all.get(name) as Upstream,
    async close() {
      await Promise.all([...all.values()].map((upstream) => upstream.close()));
    },
  };
}

function createUpstream(
  name: string,
  { origin, pathname, protocol, hostname }: URL,
  { connectTimeoutMs, connections, lookMs = LOOK_MS, lookup = createSharedLookup() }: UpstreamOptions,
): Upstream & { close(): Promise<void> } {
  /** That the present pool has connected to. */
  let used = new Set<string>();
  const looking = setInterval(look, lookMs).unref();
  const upstream = {
    name,
    origin,
    prefix: pathname === "/" ? "" : pathname,
    pool: open(),
    refusesUsage: false,
    close() {
      clearInterval(looking);
      return upstream.pool.close();
    },
  };
  return upstream;

  function open(): Pool {
    const addresses = used;
    return new Pool(origin, {
      connect: timedConnector(connectTimeoutMs, lookup, (address) => addresses.add(address)),
      connections,
      headersTimeout: 0,
      keepAliveTimeout: protocol === "https:" ? TLS_IDLE_MS : PLAIN_IDLE_MS,
      bodyTimeout: 0,
      maxHeaderSize: 256 << 10,
      allowH2: false,
    });
  }

  /**
   * A connection that is always in use would stay with an address that the name has left. New calls get new connections then;
   * what is under way on the old ones finishes. (undici's own `clientTtl` looks at every connection's age for every call.)
   */
  function look() {
    if (used.size === 0 || isIP(hostname.replace(/^\[(.*)\]$/, "$1"))) return;
    lookup(hostname, { all: true }, (error, addresses) => {
      // Neither resolved nor known from before: nobody knows whether it moved.
      if (error || typeof addresses === "string") return;
      const known = new Set(addresses.map(({ address }) => address));
      if ([...used].every((address) => known.has(address))) return;
      used = new Set();
      const old = upstream.pool;
      upstream.pool = open();
      old.close().catch(() => {});
    });
  }
}
