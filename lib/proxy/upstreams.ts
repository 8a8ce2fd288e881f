import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { buildConnector, Pool } from "undici";

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

function timedConnector(timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, allowH2: false });
  return (options, callback) => {
    const before = performance.now();
    connect(options, (...result) => {
      if (result[1]) connectTimes.set(result[1] as Socket, performance.now() - before);
      callback(...result);
    });
  };
}

/**
 * One keep-alive pool per upstream. No timeouts of our own once connected: the client decides how long it waits. When
 * all `connections` are busy, calls wait in the pool's queue in the order in which they came; their `sentAtMs` says how long.
 */
export function createUpstreams(
  urls: Readonly<Record<string, string>>,
  connectTimeoutMs: number,
  connections: number,
): { get(name: string): Upstream; close(): Promise<void> } {
  const all = new Map(
    Object.entries(urls).map(([name, url]) => {
      const { origin, pathname } = new URL(url);
      const pool = new Pool(origin, {
        connect: timedConnector(connectTimeoutMs),
        connections,
        headersTimeout: 0,
        // Longer than undici's own 4 s, so that quiet times do not cost a TLS handshake per call; an upstream that
        // announces less (`keep-alive: timeout=5`) is obeyed.
        keepAliveTimeout: 30_000,
        bodyTimeout: 0,
        maxHeaderSize: 256 << 10,
        allowH2: false,
      });
      return [name, { name, origin, prefix: pathname === "/" ? "" : pathname, pool, refusesUsage: false }];
    }),
  );
  return {
    get: (name) => all.get(name) as Upstream,
    async close() {
      await Promise.all([...all.values()].map(({ pool }) => pool.close()));
    },
  };
}
