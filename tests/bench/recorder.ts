import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Database, startDatabase } from "#tests/support/database.ts";
import { run } from "#tests/support/process.ts";
import { cpuUs, median } from "./cpu.ts";
import { runLoad } from "./load.ts";

export interface RecorderResult {
  /** Facts only. */
  callsPerSecond: number;
  /** With content, redacted and sealed. */
  callsPerSecondFull: number;
  /** Of the recorder's process, and of Postgres, per call: says more than the rates on a machine that others use too. */
  cpuUsPerCall: Record<Capture, { recorder: number; postgres: number }>;
}

const LOOK_MS = 20;

/**
 * How fast a recorder empties a spool that lies there full: real calls through the real proxy first, then the proxy is gone, and
 * a recorder and a Postgres have the machine to themselves. From its first stored call to its last.
 */
export async function benchRecorder(
  { calls = 40_000, rounds = 3 },
  say: (line: string) => void,
): Promise<RecorderResult> {
  const upstream = await run("tests/bench/upstream.ts", {});
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-bench-recorder-"));
  // As root the database runs as another user.
  chmodSync(dir, 0o711);
  const database = await startDatabase(dir);
  const rates: Record<Capture, number[]> = { facts: [], full: [] };
  const cpu: Record<Capture, { recorder: number; postgres: number }[]> = { facts: [], full: [] };
  try {
    for (let round = 0; round < rounds; round++)
      for (const capture of ["facts", "full"] as const) {
        const spooled = join(dir, `data-${round}-${capture}`);
        await fillSpool(`http://127.0.0.1:${upstream.port}`, spooled, calls);
        const { perSecond, cpuUsPerCall } = await empty(database, spooled, capture, calls);
        rates[capture].push(perSecond);
        cpu[capture].push(cpuUsPerCall);
        say(
          `recorder, ${capture}, round ${round + 1} of ${rounds}: ${Math.round(perSecond)}/s, ${cpuUsPerCall.recorder} µs and ${cpuUsPerCall.postgres} µs of Postgres`,
        );
        rmSync(spooled, { recursive: true, force: true });
      }
  } finally {
    await upstream.stop();
    await database.stop();
    rmSync(dir, { recursive: true, force: true });
  }
  return {
    callsPerSecond: Math.round(median(rates.facts)),
    callsPerSecondFull: Math.round(median(rates.full)),
    cpuUsPerCall: { facts: medians(cpu.facts), full: medians(cpu.full) },
  };
}

type Capture = "facts" | "full";

const medians = (all: { recorder: number; postgres: number }[]) => ({
  recorder: median(all.map(({ recorder }) => recorder)),
  postgres: median(all.map(({ postgres }) => postgres)),
});

async function fillSpool(upstreamUrl: string, dataDir: string, calls: number) {
  const proxy = await run("lib/proxy/main.ts", {
    OMNIMETER_PROXY_PORT: "0",
    OMNIMETER_UPSTREAM: upstreamUrl,
    OMNIMETER_DATA_DIR: dataDir,
  });
  try {
    await runLoad({ port: proxy.port, stream: false, connections: 32, calls });
  } finally {
    await proxy.stop();
  }
}

async function empty(database: Database, dataDir: string, capture: Capture, calls: number) {
  const [earlier] = await database.sql<{ n: number }[]>`select coalesce(sum(stored), 0)::int as n from spool_runs`;
  const stored = async () => {
    const [row] = await database.sql<{ n: number }[]>`select coalesce(sum(stored), 0)::int as n from spool_runs`;
    return (row?.n ?? 0) - (earlier?.n ?? 0);
  };
  const recorder = await run("lib/recorder/main.ts", {
    OMNIMETER_DATA_DIR: dataDir,
    OMNIMETER_CAPTURE: capture,
    DATABASE_URL: database.url,
  });
  try {
    let first = 0;
    while (first === 0) {
      await sleep(LOOK_MS);
      first = await stored();
    }
    const from = performance.now();
    const spent = () => [cpuUs(recorder.pid), cpuUs(database.pid())] as const;
    const before = spent();
    let last = first;
    while (last < calls) {
      await sleep(LOOK_MS);
      last = await stored();
    }
    const perSecond = ((last - first) * 1000) / (performance.now() - from);
    const [own = 0, postgres = 0] = spent().map((us, i) => Math.round((us - (before[i] as number)) / (last - first)));
    return { perSecond, cpuUsPerCall: { recorder: own, postgres } };
  } finally {
    await recorder.stop();
  }
}
