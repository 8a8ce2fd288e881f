import { mkdirSync, renameSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { listSegments, segmentName } from "#lib/spool/segment.ts";
import { keptDir } from "#lib/spool/spool-dir.ts";

interface Options {
  dir: string;
  /** Moved instead of deleted (OMNIMETER_KEEP_SPOOL). */
  keepSegments: boolean;
  log: (message: string) => void;
}

/** What is stored goes, or is moved. When the disk or somebody's permissions do not let it, it stays, and that is said once. */
export function createClearing({ dir, keepSegments, log }: Options): (belowSegment: number) => void {
  let saidStuck = false;
  return (belowSegment) => {
    try {
      // The newest one stays, whoever is still writing to it: its number must never be used again.
      const stored = listSegments(dir)
        .slice(0, -1)
        .filter((number) => number < belowSegment);
      if (keepSegments && stored.length) mkdirSync(keptDir(dir), { recursive: true, mode: 0o700 });
      for (const name of stored.map(segmentName))
        if (keepSegments) renameSync(join(dir, name), join(keptDir(dir), name));
        else unlinkSync(join(dir, name));
    } catch (error) {
      if (!saidStuck) log(`stored segments of the spool cannot be cleared: ${(error as Error).message}`);
      saidStuck = true;
    }
  };
}
