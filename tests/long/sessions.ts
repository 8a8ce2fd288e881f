import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf, residentBytes } from "#tests/support/process.ts";
import { seeded } from "#tests/support/split.ts";
import type { System } from "#tests/support/system.ts";
import type { FakeRealtime } from "#tests/support/upstream/realtime.ts";
import { checkVoices } from "./voice-check.ts";
import { type HeardSession, startVoices } from "./voices.ts";

/** What a scene of many long sessions has shown. */
export interface Scene {
  name: string;
  sessions: number;
  responses: number;
  /** Resident memory before and at its end. */
  workerMb: [number, number];
  recorderMb: [number, number];
  broken: string[];
}

const MANY = 200;
/** 200 ms of audio in each second. */
const SLOW_TICK_MS = 1000;
const STOPPED_MS = 20_000;
/** With audio kept, what is caught up on is sealed and stored sixteen megabytes at a time, and the collector takes its time. */
const GROWTH_MB_MAX = 300;
const CALM = { loses: false, tears: false, disturbs: false };

export async function longSessions(system: System, voice: FakeRealtime, say: (line: string) => void): Promise<Scene[]> {
  const done: Scene[] = [];
  for (const play of [outlivesRecorder, catchesUp, isStopped]) {
    done.push(await play(system, voice));
    voice.connections.length = 0;
    say(lineOf(done.at(-1) as Scene));
  }
  return done;
}

/** A recorder that dies three times while the same people speak. */
async function outlivesRecorder(system: System, voice: FakeRealtime): Promise<Scene> {
  return scene("outlives three recorders", system, voice, async () => {
    const voices = startVoices(() => system.proxyUrl, 3, seeded(1), { kind: "stay" });
    for (let i = 0; i < 3; i++) {
      await sleep(1500);
      await system.kill("recorder");
      await sleep(300);
      await system.start("recorder");
    }
    await sleep(1500);
    await voices.stop();
    return voices.heard;
  });
}

/** Two hundred who speak while nobody reads what is recorded, and then go on. */
async function catchesUp(system: System, voice: FakeRealtime): Promise<Scene> {
  return scene(`${MANY} at once, nobody reads for ${STOPPED_MS / 1000} s`, system, voice, async () => {
    const voices = startVoices(() => system.proxyUrl, MANY, seeded(2), { kind: "stay", tickMs: SLOW_TICK_MS });
    await sleep(3000);
    process.kill(system.pid("recorder"), "SIGSTOP");
    await sleep(STOPPED_MS);
    process.kill(system.pid("recorder"), "SIGCONT");
    await sleep(5000);
    await voices.stop();
    return voices.heard;
  });
}

/** Nobody means to end them: the proxy is told to stop, and says goodbye for both. */
async function isStopped(system: System, voice: FakeRealtime): Promise<Scene> {
  return scene("stopped by the proxy", system, voice, async () => {
    const voices = startVoices(() => system.proxyUrl, 20, seeded(3), { kind: "stay", tickMs: 100 });
    await sleep(1500);
    const told = voices.heard.length;
    await system.kill("proxy", "SIGTERM");
    await system.start("proxy");
    await voices.stop();
    const unasked = voices.heard.slice(0, told).filter(({ closeCode }) => closeCode !== 1001 && closeCode !== 1000);
    if (unasked.length) throw new Error(`${unasked.length} sessions were cut without a goodbye`);
    return voices.heard;
  });
}

async function scene(
  name: string,
  system: System,
  voice: FakeRealtime,
  play: () => Promise<HeardSession[]>,
): Promise<Scene> {
  const worker = () => toMb(residentBytes(childrenOf(system.pid("proxy"))[0] as number));
  const recorder = () => toMb(residentBytes(system.pid("recorder")));
  const before = [worker(), recorder()] as const;
  const broken: string[] = [];
  const heard = await play().catch((error: Error) => {
    broken.push(error.message);
    return [];
  });
  await system.drained(120_000).catch((error: Error) => broken.push(error.message));
  const checked = await checkVoices(system, voice, await system.calls(), heard, CALM);
  broken.push(...checked.broken);
  const workerMb: Scene["workerMb"] = [before[0], worker()];
  const recorderMb: Scene["recorderMb"] = [before[1], recorder()];
  for (const [part, [from, to]] of Object.entries({ worker: workerMb, recorder: recorderMb }))
    if (to - from > GROWTH_MB_MAX) broken.push(`the ${part} grew from ${from} MB to ${to} MB`);
  return { name, sessions: checked.sessions, responses: checked.responses, workerMb, recorderMb, broken };
}

const toMb = (bytes: number): number => Math.round(bytes / 1e6);

export const lineOf = ({ name, sessions, responses, workerMb, recorderMb, broken }: Scene): string =>
  `${name}: ${sessions} sessions, ${responses} responses, worker ${workerMb.join(" to ")} MB, recorder ${recorderMb.join(" to ")} MB${broken.length ? `, BROKEN: ${broken.slice(0, 5).join("; ")}` : ""}`;
