import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Running, run } from "./process.ts";

export interface TestProxy {
  /** `http://127.0.0.1:<port>`, without `/v1`. */
  readonly url: string;
  readonly dataDir: string;
  readonly process: Running;
  stop(): Promise<void>;
}

/** The real proxy in front of `upstream`, on a port and with a data directory of its own. */
export async function startProxy(upstream: string, env: Record<string, string> = {}): Promise<TestProxy> {
  const dataDir = mkdtempSync(join(tmpdir(), "omnimeter-proxy-"));
  const child = await run("lib/proxy/main.ts", {
    OMNIMETER_PROXY_PORT: "0",
    OMNIMETER_UPSTREAM: upstream,
    OMNIMETER_DATA_DIR: dataDir,
    ...env,
  });
  return {
    url: `http://127.0.0.1:${child.port}`,
    dataDir,
    process: child,
    async stop() {
      await child.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const METRICS_MS = 3000;

/** One number of /metrics: the sum over all label sets that contain `labels`. */
export async function metric(url: string, name: string, labels = ""): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(METRICS_MS) })).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith(name) && /[ {]/.test(line[name.length] ?? "") && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
