import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { residentBytes, run } from "#tests/support/process.ts";
import { cpuUs, median } from "./cpu.ts";
import { startFloor, startProduct, type Target } from "./targets.ts";

export interface RealtimeResult {
  /** Of one frame relayed, in either direction. */
  cpuUsPerFrame: number;
  floorCpuUsPerFrame: number;
  ratio: number;
  /** Many sessions at once, each saying little. */
  sessions500: { rssMb: number; floorRssMb: number; stalls: number };
}

const TALK = { sessions: 40, paceMs: 20, seconds: 2 };
const MANY = { sessions: 500, paceMs: 500, seconds: 4 };
/** Behind the pace, as for streams. */
const STALL_MS = 250;
const APPEND = JSON.stringify({ type: "input_audio_buffer.append", audio: Buffer.alloc(960).toString("base64") });

/** A bare relay and the product take turns; 20 ms of audio each way in each frame. */
export async function benchRealtime(
  { rounds = 7, profile = "" } = {},
  say: (line: string) => void,
): Promise<RealtimeResult> {
  const upstream = await run("tests/bench/ws-upstream.ts", {});
  const url = `http://127.0.0.1:${upstream.port}`;
  const profiling = profile ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : [];
  const floor = await startFloor(url, profiling, "tests/bench/ws-floor.ts");
  const product = await startProduct(url, profiling);
  const samples: { floor: number; product: number }[] = [];
  try {
    for (const target of [floor, product]) await talk(target, TALK);
    for (let round = 0; round < rounds; round++) {
      const sample = { floor: 0, product: 0 };
      for (const target of round % 2 ? [product, floor] : [floor, product]) {
        const { cpuUsPerFrame } = await talk(target, TALK);
        sample[target === floor ? "floor" : "product"] = cpuUsPerFrame;
        target.tidy();
      }
      samples.push(sample);
      say(`round ${round + 1} of ${rounds}: ${JSON.stringify(sample)}`);
    }
    const many = { floor: await talk(floor, MANY), product: await talk(product, MANY) };
    say(`${MANY.sessions} sessions: ${JSON.stringify(many)}`);
    return {
      cpuUsPerFrame: rounded(median(samples.map((one) => one.product)), 1),
      floorCpuUsPerFrame: rounded(median(samples.map((one) => one.floor)), 1),
      ratio: rounded(median(samples.map((one) => one.product / one.floor)), 3),
      sessions500: { rssMb: many.product.rssMb, floorRssMb: many.floor.rssMb, stalls: many.product.stalls },
    };
  } finally {
    await Promise.all([floor, product, upstream].map((one) => one.stop()));
  }
}

/** All sessions talk for so long; what is measured begins when the last of them is open. */
async function talk({ port, pid }: Target, { sessions, paceMs, seconds }: typeof TALK) {
  let frames = 0;
  let stalls = 0;
  const open = await Promise.all(
    Array.from({ length: sessions }, async (_, i) => {
      // Not in step: all frames of a pace at the same moment would measure the burst.
      await sleep((i * Math.max(paceMs, 500)) / sessions);
      const ws = new WebSocket(`ws://127.0.0.1:${port}/v1/realtime?model=x&pace=${paceMs}`, {
        perMessageDeflate: false,
      });
      let last = 0;
      ws.on("message", () => {
        frames++;
        const now = performance.now();
        if (last && now - last > paceMs + STALL_MS) stalls++;
        last = now;
      });
      await once(ws, "open");
      const timer = setInterval(() => {
        frames++;
        ws.send(APPEND);
      }, paceMs);
      return { ws, timer };
    }),
  );
  const before = cpuUs(pid);
  frames = 0;
  let resident = 0;
  for (let i = 0; i < 4 * seconds; i++) {
    await sleep(250);
    resident = Math.max(resident, residentBytes(pid));
  }
  const cpuUsPerFrame = rounded((cpuUs(pid) - before) / frames, 2);
  for (const { ws, timer } of open) {
    clearInterval(timer);
    ws.terminate();
  }
  // Gone before the next one's turn.
  await sleep(200);
  return { cpuUsPerFrame, rssMb: Math.round(resident / 2 ** 20), stalls };
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
