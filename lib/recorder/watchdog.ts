import { Worker } from "node:worker_threads";

const BEAT_MS = 1000;
/** Decoding one exchange is far quicker, also on a machine that is busy. */
const HUNG_MS = 60_000;

/**
 * Kills this process when its thread has been stuck for a minute, so that whoever started it starts it again: an exchange that keeps
 * a reader busy for ever would otherwise stop the recorder for ever (caution.ts then finds it). A process that was stopped as a
 * whole (SIGSTOP, a sleeping laptop) is not stuck: what counts is looks at a clock that does not move, not time.
 */
export function startWatchdog(hungMs = HUNG_MS): void {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS).unref();
  const watch = new Worker(WATCH, {
    eval: true,
    execArgv: [],
    workerData: { beats, hungMs, beatMs: BEAT_MS },
  });
  // Without it the recorder goes on as before.
  watch.on("error", () => {});
  watch.unref();
}

const WATCH = `
  const { beats, hungMs, beatMs } = require("node:worker_threads").workerData;
  let last = -1;
  let stuckMs = 0;
  setInterval(() => {
    const now = Atomics.load(beats, 0);
    stuckMs = now === last ? stuckMs + beatMs : 0;
    last = now;
    if (stuckMs > hungMs) process.kill(process.pid, "SIGKILL");
  }, beatMs);`;
