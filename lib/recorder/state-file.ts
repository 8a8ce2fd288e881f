import { randomUUID } from "node:crypto";
import type { Log } from "#lib/log.ts";
import { isFresh, RECORDER_SLOTS, readSlot, writeRecorderState } from "#lib/recorder-state.ts";
import type { RecorderFigures } from "./figures.ts";

const WRITE_MS = 1000;

/**
 * Writes the recorder's figures beside the spool, now and every second: that it is written is the sign of life, too. When the disk
 * takes no more, it says so once and goes on: the figures then grow old, and whoever reads them sees that. Several recorders of one
 * folder have a file each: the first that no other living one writes.
 */
export function keepStateFile(
  dataDir: string,
  figures: RecorderFigures,
  log: Log,
  holder = `${process.pid}:${randomUUID()}`,
): void {
  write();
  setInterval(write, WRITE_MS).unref();

  function write() {
    try {
      const slot = slots().find((one) => !isAnothers(one));
      if (slot === undefined)
        log.warnOnce(
          "state_slots",
          `${RECORDER_SLOTS} recorders write their figures already: /metrics lacks this one's`,
        );
      else writeRecorderState(dataDir, { holder, ...figures.state() }, slot);
    } catch (error) {
      log.warnOnce("state_file", `the figures for /metrics cannot be written: ${(error as Error).message}`);
    }
  }

  function isAnothers(slot: number): boolean {
    const said = readSlot(dataDir, slot);
    if (!said || said.holder === holder || !isFresh(said, Date.now())) return false;
    // In a container every recorder may have the same number: that one was the one before this.
    const pid = Number.parseInt(said.holder ?? "", 10);
    return pid !== process.pid && isAlive(pid);
  }
}

const slots = () => Array.from({ length: RECORDER_SLOTS }, (_, slot) => slot);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
