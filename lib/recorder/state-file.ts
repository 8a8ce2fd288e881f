import type { Log } from "#lib/log.ts";
import { isFresh, readRecorderState, writeRecorderState } from "#lib/recorder-state.ts";
import type { RecorderFigures } from "./figures.ts";

const WRITE_MS = 1000;

/**
 * Writes the recorder's figures beside the spool, now and every second: that it is written is the sign of life, too. When the disk
 * takes no more, it says so once and goes on: the figures then grow old, and whoever reads them sees that. A recorder without a
 * spool, because another one holds them, leaves that one's word alone: counters that change hands every second are no rates.
 */
export function keepStateFile(dataDir: string, figures: RecorderFigures, log: Log): void {
  let writtenAtMs = 0;
  write();
  setInterval(write, WRITE_MS).unref();

  function write() {
    if (!figures.holds() && anotherSpeaks()) return;
    try {
      const state = figures.state();
      writeRecorderState(dataDir, state);
      ({ writtenAtMs } = state);
    } catch (error) {
      log.warnOnce("state_file", `the figures for /metrics cannot be written: ${(error as Error).message}`);
    }
  }

  function anotherSpeaks(): boolean {
    const said = readRecorderState(dataDir);
    return said !== null && said.writtenAtMs !== writtenAtMs && isFresh(said, Date.now());
  }
}
