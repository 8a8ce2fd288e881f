import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startDatabase } from "#tests/support/database.ts";
import { run } from "#tests/support/process.ts";
import { startSystem } from "#tests/support/system.ts";
import { runLoad } from "./load.ts";

export interface EndToEndResult {
  /** Answered calls per second, as the clients saw it. */
  callsPerSecond: number;
  seconds: number;
  /** How long after the last answer the last call was in Postgres. */
  lagSecondsAtEnd: number;
  lost: number;
  doubled: number;
}

const CONNECTIONS = 64;
const LOOK_MS = 20;
const PATIENCE_MS = 120_000;

/**
 * Load, upstream, proxy, recorder with content, and Postgres on one machine: JSON calls at a steady rate. What the clients were
 * answered is held against what is stored.
 */
export async function benchEndToEnd(
  { callsPerSecond = 2000, seconds = 20 },
  say: (line: string) => void,
): Promise<EndToEndResult> {
  const dir = mkdtempSync(join(tmpdir(), "omnimeter-bench-end-"));
  // As root the database runs as another user.
  chmodSync(dir, 0o711);
  const upstream = await run("tests/bench/upstream.ts", {});
  const database = await startDatabase(dir);
  const system = await startSystem({ database, upstreamUrl: `http://127.0.0.1:${upstream.port}` });
  try {
    const port = Number(new URL(system.proxyUrl).port);
    const load = (calls: number) => runLoad({ port, stream: false, connections: CONNECTIONS, calls, callsPerSecond });
    const warm = (await load(callsPerSecond * 2)).length;
    await system.drained(PATIENCE_MS);
    const from = performance.now();
    const answered = (await load(callsPerSecond * seconds)).length;
    const tookMs = performance.now() - from;
    const ended = performance.now();
    const [row] = await storedAtLeast(warm + answered);
    const lagMs = performance.now() - ended;
    await system.drained(PATIENCE_MS);
    const result = {
      callsPerSecond: Math.round((answered * 1000) / tookMs),
      seconds: Number((tookMs / 1000).toFixed(1)),
      lagSecondsAtEnd: Number((lagMs / 1000).toFixed(2)),
      lost: warm + answered - (row?.distinct ?? 0),
      doubled: (row?.stored ?? 0) - (row?.distinct ?? 0),
    };
    say(`end to end: ${JSON.stringify(result)}`);
    return result;
  } finally {
    await system.stop();
    await upstream.stop();
    await database.stop();
    rmSync(dir, { recursive: true, force: true });
  }

  /** Waits for the count that the recorder keeps, then counts the rows themselves. */
  async function storedAtLeast(calls: number) {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const [row] = await database.sql<{ n: number }[]>`select coalesce(sum(stored), 0)::int as n from spool_runs`;
      if ((row?.n ?? 0) >= calls || performance.now() > until) break;
      await sleep(LOOK_MS);
    }
    return database.sql<{ stored: number; distinct: number }[]>`
      select count(*)::int as stored, count(distinct (run, seq))::int as distinct from calls`;
  }
}
