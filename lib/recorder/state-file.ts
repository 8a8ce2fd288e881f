import type { Log } from "#lib/log.ts";
import { writeRecorderState } from "#lib/recorder-state.ts";
import type { RecorderFigures } from "./figures.ts";

const WRITE_MS = 1000;

/**
 * Writes the recorder's figures beside the spool, now and every second: that it is written is the sign of life, too. When the disk
 * takes no more, it says so once and goes on: the figures then grow old, and whoever reads them sees that.
 */
export function keepStateFile(dataDir: string, figures: RecorderFigures, log: Log): void {
  write();
  setInterval(write, WRITE_MS).unref();

  function write() {
    try {
      writeRecorderState(dataDir, figures.state());
    } catch (error) {
      log.warnOnce("state_file", `the figures for /metrics cannot be written: ${(error as Error).message}`);
    }
  }
}
