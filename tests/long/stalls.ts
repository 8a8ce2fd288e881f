import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "postgres";
import { asHeader } from "#tests/support/upstream/script.ts";

/** The longest of each since the last look, in milliseconds. */
export interface Stalls {
  /** Without another stored call. */
  recorderMs: number;
  /** What a page reads: a rollup and the newest calls. */
  readMs: number;
  /** A client's call, from its start to its end. */
  clientMs: number;
}

const PAUSE_MS = 20;

/** Looks at a system that is at work, all the time. What lasts still counts for the look that it ends in, and for those before. */
export function watchStalls(sql: Sql, proxyUrl: string) {
  let stopping = false;
  const longest: Stalls = { recorderMs: 0, readMs: 0, clientMs: 0 };
  const since: Stalls = { recorderMs: performance.now(), readMs: performance.now(), clientMs: performance.now() };
  const note = (name: keyof Stalls) => {
    longest[name] = Math.max(longest[name], performance.now() - since[name]);
  };
  const all = Promise.all([stored(), timed("readMs", read), timed("clientMs", ask)]);
  return {
    take(): Stalls {
      for (const name of ["recorderMs", "readMs", "clientMs"] as const) note(name);
      const taken = { ...longest };
      Object.assign(longest, { recorderMs: 0, readMs: 0, clientMs: 0 });
      return taken;
    },
    async stop() {
      stopping = true;
      await all;
    },
  };

  async function stored() {
    let before = -1;
    while (!stopping) {
      const [row] = await sql<{ n: number }[]>`select coalesce(sum(stored), 0)::bigint as n from spool_runs`;
      if (row && row.n !== before) {
        note("recorderMs");
        since.recorderMs = performance.now();
        before = row.n;
      }
      await sleep(PAUSE_MS);
    }
  }

  async function timed(name: "readMs" | "clientMs", work: () => Promise<unknown>) {
    while (!stopping) {
      since[name] = performance.now();
      await work();
      note(name);
      await sleep(PAUSE_MS);
      since[name] = performance.now();
    }
  }

  async function read() {
    await sql`select sum(calls) from rollup_calls where bucket > now() - interval '1 day'`;
    await sql`select id from calls order by id desc limit 50`;
  }

  async function ask() {
    const body = JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hi" }] });
    const headers = { "content-type": "application/json", "X-Script": asHeader({ do: "chat" }) };
    const answer = await fetch(`${proxyUrl}/v1/chat/completions`, { method: "POST", headers, body });
    await answer.text();
  }
}
