import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "#tests/support/process.ts";

/** Something that stands between the load and the upstream. */
export interface Target {
  name: "floor" | "product" | "portkey";
  port: number;
  pid: number;
  /** Header lines that it needs. */
  headers?: string;
  /** Run between rounds, outside of what is measured. */
  tidy(): void;
  stop(): Promise<void>;
}

export async function startFloor(
  upstream: string,
  execArgv: string[] = [],
  entry = "tests/bench/floor.ts",
): Promise<Target> {
  const child = await run(entry, { FLOOR_UPSTREAM: upstream }, execArgv);
  return { name: "floor", port: child.port, pid: child.pid, tidy() {}, stop: async () => void (await child.stop()) };
}

/** The real proxy, recording everything to its spool. Nobody reads the spool; what is full is deleted between rounds. */
export async function startProduct(upstream: string, execArgv: string[] = []): Promise<Target> {
  const dataDir = mkdtempSync(join(tmpdir(), "omnimeter-bench-"));
  const env = { OMNIMETER_PROXY_PORT: "0", OMNIMETER_UPSTREAM: upstream, OMNIMETER_DATA_DIR: dataDir };
  const child = await run("lib/proxy/main.ts", env, execArgv);
  return {
    name: "product",
    port: child.port,
    pid: child.pid,
    tidy: () => deleteFullSegments(join(dataDir, "spool")),
    async stop() {
      await child.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function deleteFullSegments(root: string) {
  for (const worker of readdirSync(root)) {
    const segments = readdirSync(join(root, worker))
      .filter((name) => name.endsWith(".seg"))
      .sort();
    for (const name of segments.slice(0, -1)) rmSync(join(root, worker, name));
  }
}

/** A gateway that records nothing, for comparison. */
export async function startPortkey(upstream: string): Promise<Target> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ["node_modules/@portkey-ai/gateway/build/start-server.js", "--headless", `--port=${port}`],
    {
      env: { ...process.env, PORT: String(port), NODE_ENV: "production" },
      stdio: "ignore",
    },
  );
  await answering(child, port);
  return {
    name: "portkey",
    port,
    pid: child.pid as number,
    headers: `x-portkey-provider: openai\r\nx-portkey-custom-host: ${upstream}/v1\r\n`,
    tidy() {},
    async stop() {
      child.kill("SIGKILL");
    },
  };
}

async function answering(child: ChildProcess, port: number) {
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error("the gateway to compare with did not start");
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      await sleep(100);
    }
  }
  throw new Error("the gateway to compare with does not answer");
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}
