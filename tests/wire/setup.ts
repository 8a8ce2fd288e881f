import { afterAll, beforeAll } from "vitest";
import { startProxy, type TestProxy } from "#tests/support/proxy.ts";
import { asHeader, type Script } from "#tests/support/upstream/script.ts";
import { startUpstream, type Upstream } from "#tests/support/upstream/server.ts";

export interface Wire {
  upstream: Upstream;
  proxy: TestProxy;
}

/** A hostile upstream and the real proxy in front of it, for all tests of a file. */
export function useWire(env: Record<string, string> = {}): Wire {
  const wire = {} as Wire;
  beforeAll(async () => {
    wire.upstream = await startUpstream();
    wire.proxy = await startProxy(wire.upstream.url, env);
  });
  afterAll(async () => {
    await wire.proxy?.stop();
    await wire.upstream?.stop();
  });
  return wire;
}

/** Header lines that ask the upstream for `script`. */
export const scripted = (script: Script): string[] => ["X-Script", asHeader(script)];

/** Waits until `holds` does, or fails with `what`. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 5000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((soon) => setTimeout(soon, 10));
  }
}
