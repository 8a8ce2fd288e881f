import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes } from "#tests/support/process.ts";
import { quantile } from "./cpu.ts";
import type { Target } from "./targets.ts";
import { requestOf, STREAM_CHUNKS } from "./traffic.ts";

export interface StreamsResult {
  /** The most that the target's processes held while all streams ran. */
  rssMb: number;
  /** What they held more at the end of that time than at its beginning. */
  growthMb: number;
  /** Chunks that came later than STALL_MS behind their pace: a reader would notice. */
  stalls: number;
  /** Between two chunks of a stream, as the client saw it. */
  gapP99Ms: number;
  chunks: number;
}

/** Behind the pace. The floor, the upstream and the client share the machine: a tenth of a second happens to them, too. */
const STALL_MS = 250;
const SAMPLE_MS = 250;

/** Many streams at once, each as slow as a model speaks. The upstream paces them (`x-pace-ms`). */
export async function benchStreams(
  { port, pid, headers = "" }: Target,
  { streams = 1000, paceMs = 100 } = {},
): Promise<StreamsResult> {
  const gaps: number[] = [];
  const resident: number[] = [];
  const request = requestOf(`127.0.0.1:${port}`, true, false, `${headers}x-pace-ms: ${paceMs}\r\n`);
  let open = 0;
  const all = Promise.all(
    Array.from({ length: streams }, async (_, i) => {
      // Not in step: all chunks of a pace at the same moment would measure the burst.
      await sleep((i * paceMs * 10) / streams);
      open++;
      await listen(port, request, gaps);
      open--;
    }),
  );
  const sampling = setInterval(() => {
    if (open === streams) resident.push(residentBytes(pid) / 2 ** 20);
  }, SAMPLE_MS);
  try {
    await all;
  } finally {
    clearInterval(sampling);
  }
  return {
    rssMb: Math.round(Math.max(...resident)),
    growthMb: Math.round((resident.at(-1) ?? Number.NaN) - (resident[0] ?? Number.NaN)),
    stalls: gaps.filter((gap) => gap > paceMs + STALL_MS).length,
    gapP99Ms: Math.round(quantile(gaps, 0.99)),
    chunks: streams * STREAM_CHUNKS,
  };
}

function listen(port: number, request: Buffer, gaps: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => socket.write(request));
    let last = 0;
    let tail = "";
    socket.on("data", (bytes) => {
      const now = performance.now();
      if (last) gaps.push(now - last);
      last = now;
      tail = (tail + bytes.toString("latin1", Math.max(0, bytes.length - 5))).slice(-5);
      if (tail !== "0\r\n\r\n") return;
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("a stream broke off")));
  });
}
