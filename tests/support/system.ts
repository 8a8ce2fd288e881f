import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Sql } from "postgres";
import { childrenOf, type Running, run } from "./process.ts";
import { metric } from "./proxy.ts";
import { startUpstream, type Upstream } from "./upstream/server.ts";

export type Part = "proxy" | "worker" | "recorder";

/** Fake upstream, recorder and proxy as real processes on a store that the caller brings. */
export interface System {
  readonly upstream: Upstream;
  readonly sql: Sql;
  readonly dataDir: string;
  /** `http://127.0.0.1:<port>`; stays the same over restarts. */
  readonly proxyUrl: string;
  /** The proxy's log, or the recorder's. */
  output(part: "proxy" | "recorder"): string;
  /** A killed worker is replaced by the proxy itself; the others wait for `start`. */
  kill(part: Part, signal?: NodeJS.Signals): Promise<void>;
  start(part: "proxy" | "recorder", options?: { clockOffsetMs?: number }): Promise<void>;
  isAlive(part: "proxy" | "recorder"): boolean;
  pid(part: "proxy" | "recorder"): number;
  calls(): Promise<StoredCall[]>;
  equation(): Promise<RunEquation[]>;
  metric(name: string, labels?: string): Promise<number>;
  /** Waits until nothing is in flight, everything is read (with one worker) and every run's equation holds. */
  drained(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export interface StoredCall {
  id: string;
  /** Its session's; then its number is, too. */
  parentId: string | null;
  spool: string;
  run: string;
  seq: number;
  outcome: string;
  status: number | null;
  endpoint: string;
  path: string;
}

/** accepted = stored + set aside + dropped, for one life of one worker. */
export interface RunEquation {
  spool: string;
  run: string;
  accepted: number;
  started: number;
  stored: number;
  setAside: number;
  dropped: number;
  atRisk: number;
  /** The life that its worker lives now. */
  newest: boolean;
  holds: boolean;
}

export interface SystemOptions {
  database: { url: string; sql: Sql };
  /** Default: the hostile upstream of its own. */
  upstreamUrl?: string;
  env?: Record<string, string>;
  /** Default: a temporary folder of its own. Must be there; whoever brings it removes it. */
  dataDir?: string;
}

const CLOCK = fileURLToPath(new URL("clock.ts", import.meta.url));

export async function startSystem({ database, upstreamUrl, env = {}, ...given }: SystemOptions): Promise<System> {
  const dataDir = given.dataDir ?? mkdtempSync(join(tmpdir(), "omnimeter-system-"));
  const upstream = await startUpstream();
  const common = { OMNIMETER_DATA_DIR: dataDir, ...env };
  const running = {} as Record<"proxy" | "recorder", Running>;
  let proxyPort = 0;
  await Promise.all([start("recorder"), start("proxy")]);
  // As the supervisor does where any free port was asked for; who is started later finds it among the settings.
  running.recorder.tell({ type: "proxy", port: proxyPort });
  return {
    upstream,
    sql: database.sql,
    dataDir,
    get proxyUrl() {
      return `http://127.0.0.1:${proxyPort}`;
    },
    output: (part) => running[part].output(),
    start,
    isAlive: (part) => running[part].isAlive(),
    pid: (part) => running[part].pid,
    async kill(part, signal = "SIGKILL") {
      if (part !== "worker") return running[part].kill(signal);
      const [worker] = childrenOf(running.proxy.pid);
      if (worker) process.kill(worker, signal);
    },
    calls,
    equation,
    metric: (name, labels) => metric(`http://127.0.0.1:${proxyPort}`, name, labels),
    drained,
    async stop() {
      await running.proxy.stop();
      await running.recorder.stop();
      await upstream.stop();
      if (!given.dataDir) rmSync(dataDir, { recursive: true, force: true });
    },
  };

  async function start(part: "proxy" | "recorder", { clockOffsetMs = 0 } = {}) {
    const clock = clockOffsetMs ? ["--import", CLOCK] : [];
    const all = { ...common, ...(clockOffsetMs && { TEST_CLOCK_OFFSET_MS: String(clockOffsetMs) }) };
    if (part === "recorder") {
      const known = { ...(proxyPort && { OMNIMETER_PROXY_PORT: String(proxyPort) }), DATABASE_URL: database.url };
      running.recorder = await run("lib/recorder/main.ts", { ...all, ...known }, clock);
    } else {
      const proxyEnv = { OMNIMETER_UPSTREAM: upstreamUrl ?? upstream.url, OMNIMETER_PROXY_PORT: String(proxyPort) };
      running.proxy = await run("lib/proxy/main.ts", { ...all, ...proxyEnv }, clock);
      proxyPort = running.proxy.port;
    }
  }

  async function calls(): Promise<StoredCall[]> {
    return [
      ...(await database.sql<StoredCall[]>`
        select id, parent_id as "parentId", spool, run, seq::int as seq, outcome, status, endpoint, path from calls order by id`),
    ];
  }

  async function equation(): Promise<RunEquation[]> {
    return [
      ...(await database.sql<RunEquation[]>`
        with counted as (
          select
            spool, run, accepted::int, started::int, stored::int, set_aside::int as "setAside", at_risk::int as "atRisk",
            first_seen_at = max(first_seen_at) over (partition by spool) as newest,
            (select coalesce(sum(value::int), 0)::int from jsonb_each_text(dropped)) as dropped
          from spool_runs
        )
        select *, accepted = stored + "setAside" + dropped as holds from counted order by spool, run`),
    ];
  }

  async function drained(timeoutMs = 20_000) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const url = `http://127.0.0.1:${proxyPort}`;
      // A proxy that is just coming back has not drained yet.
      const [inFlight, accepted] = await Promise.all([
        metric(url, "omnimeter_in_flight_calls"),
        metric(url, "omnimeter_accepted_calls_total"),
      ]).catch(() => [Number.NaN, Number.NaN]);
      const runs = await equation();
      // What the recorder has not read yet is in no row: the newest run must be known up to its last call.
      const read = accepted === 0 || runs.some((one) => one.newest && one.accepted === accepted);
      if (inFlight === 0 && read && runs.length > 0 && runs.every((one) => one.holds)) return;
      if (Date.now() > deadline)
        throw new Error(
          `Not drained in ${timeoutMs} ms: ${inFlight} in flight, ${JSON.stringify(runs.filter((one) => !one.holds))}\n${running.recorder.output().slice(-500)}`,
        );
      await new Promise((soon) => setTimeout(soon, 50));
    }
  }
}
