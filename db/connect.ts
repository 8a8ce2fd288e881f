import type { Socket } from "node:net";
import postgres, { type Sql } from "postgres";
import { HeldSocket } from "./held-socket.ts";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Opens a pool. Nothing is connected until the first query. Behind a pooler in transaction mode the URL says `?prepare=false`
 * (docs/operations.md): a prepared statement would be another connection's.
 * postgres.js never disables Nagle's algorithm, so on loopback each batch would wait ~40 ms for a delayed
 * acknowledgement; elsewhere the library's own socket stays (TLS host names, fail-over).
 */
export function open(url: string, max = 10): Sql {
  return postgres(url, {
    max,
    onnotice() {},
    connect_timeout: 10,
    connection: { application_name: "omnimeter", TimeZone: "UTC", standard_conforming_strings: "on" },
    // The library's own pauses grow to 20 s; a database that is back should be noticed.
    backoff: () => 0.25,
    // 64-bit counts come back as numbers: tokens and bytes stay far below 2^53.
    types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
    ...(isLoopback(url) ? ({ socket: noDelaySocket } as object) : {}),
  }) as unknown as Sql;
}

/** Several hosts with ports are a Postgres URL, but not one of the platform's. */
const isLoopback = (url: string) => URL.canParse(url) && LOOPBACK.has(new URL(url).hostname);

/**
 * Accepted by the library, missing from its types. It must come unconnected: the library puts its own handlers on it
 * first, and would lose the place in the pool if this promise were rejected.
 */
const noDelaySocket = (options: { host: string[]; port: number[] }): Socket => {
  const socket = new HeldSocket();
  socket.setNoDelay(true);
  setImmediate(() => {
    if (!socket.destroyed) socket.connect(options.port[0] as number, options.host[0] as string);
  });
  return socket;
};
