import { isIPv6 } from "node:net";
import type { Config } from "#lib/config.ts";
import type { Log } from "#lib/log.ts";
import { type CallJoiner, createCallJoiner } from "./join-calls.ts";

/**
 * Joins calls through the proxy beside this recorder, which records what is heard. null: there is no key, and nothing is listened to.
 * A proxy that took any free port is named by the supervisor, once it listens (lib/supervisor/omnimeter.ts).
 */
export function joinThroughProxy(
  { joinKeys, host, proxyPort }: Pick<Config, "joinKeys" | "host" | "proxyPort">,
  log: Pick<Log, "warnOnce">,
): CallJoiner | null {
  if (Object.keys(joinKeys).length === 0) return null;
  let port = proxyPort;
  process.on("message", (message) => {
    const { type, port: bound } = message as { type?: unknown; port?: unknown };
    if (type === "proxy" && typeof bound === "number") port = bound;
  });
  return createCallJoiner({ keys: joinKeys, proxyUrl: () => (port === 0 ? null : proxyUrlOf(host, port)), log });
}

/** All addresses are none that can be asked. */
const REACHABLE: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

export function proxyUrlOf(host: string, port: number): string {
  const address = REACHABLE[host] ?? host;
  return `ws://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
