import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf } from "#tests/support/process.ts";
import { seeded } from "#tests/support/split.ts";
import type { System } from "#tests/support/system.ts";
import type { FakeRealtime } from "#tests/support/upstream/realtime.ts";
import { startClients } from "./clients.ts";
import { startVoices } from "./voices.ts";

export interface Leak {
  part: string;
  /** Median resident set in MB after the warm-up, and at the end. */
  firstMb: number;
  lastMb: number;
  /** Grown by more than a tenth (and more than 10 MB, which a collector's mood explains). */
  leaks: boolean;
}

/** The heap is flat after seconds; the allocator's arenas take minutes to reach the size that the load needs. */
const WARM_UP_MS = 150_000;
const SAMPLE_MS = 2000;
/** Samples in the medians compared. */
const SAMPLES = 15;

/**
 * Mixed load (JSON, streams, aborts, resets, voice sessions) for some minutes: memory must not grow with the number of calls. `voice` is where the
 * sessions go: see startVoiceUpstream.
 */
export async function leakRun(
  system: System,
  voice: FakeRealtime,
  minutes: number,
  say: (line: string) => void,
): Promise<Leak[]> {
  const parts = { worker: () => childrenOf(system.pid("proxy"))[0] as number, recorder: () => system.pid("recorder") };
  const sizes: Record<string, number[]> = { worker: [], recorder: [] };
  let random = seeded(11);
  const until = Date.now() + WARM_UP_MS + minutes * 60_000;
  const warm = Date.now() + WARM_UP_MS;
  while (Date.now() < until) {
    // New clients every ten seconds: connections come and go as well.
    random = seeded(Math.floor(random() * 1e6));
    const clients = startClients(() => system.proxyUrl, 16, random);
    const voices = startVoices(() => system.proxyUrl, 4, random);
    for (let i = 0; i < 5; i++) {
      await sleep(SAMPLE_MS);
      if (Date.now() > warm) for (const [name, pid] of Object.entries(parts)) sizes[name]?.push(residentMb(pid()));
    }
    await Promise.all([clients.stop(), voices.stop()]);
    voice.connections.length = 0;
  }
  await system.drained(60_000);
  return Object.entries(sizes).map(([part, all]) => {
    const firstMb = median(all.slice(0, SAMPLES));
    const lastMb = median(all.slice(-SAMPLES));
    const leaks = lastMb > firstMb * 1.1 && lastMb > firstMb + 10;
    say(`${part}: ${firstMb} MB after the warm-up, ${lastMb} MB after ${minutes} min more`);
    return { part, firstMb, lastMb, leaks };
  });
}

function residentMb(pid: number): number {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Math.round((Number(pages) * 4096) / 1e6);
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
