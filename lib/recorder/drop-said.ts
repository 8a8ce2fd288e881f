import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { listSegments, segmentName } from "#lib/spool/segment.ts";
import { keptDir } from "#lib/spool/spool-dir.ts";
import { openKept, sealExchange } from "./kept-exchange.ts";

/** What dropping asks of the store; `main` binds it to db/set-aside.ts. */
export interface OldAsideStore {
  /** The next one by its id, of this host's spools and of calls that began before the moment; null: there is none. */
  next(after: string | null): Promise<{ id: string; sealed: Buffer } | null>;
  /** Puts another form in its place, if it is still there. */
  reseal(id: string, sealed: Buffer): Promise<void>;
}

interface Options {
  dirs: readonly string[];
  /** In milliseconds: what was said before is dropped. */
  beforeMs: number;
  spoolKey: Buffer;
  store: OldAsideStore;
}

/**
 * Retention of what was said, where only this host can reach it: kept segments that were written to the end before the moment, and the
 * bodies of exchanges that are set aside. Their facts stay, and can be tried again. Goes on where a crash stopped it.
 * @throws the database's error, or the disk's
 */
export async function dropSaid({ dirs, beforeMs, spoolKey, store }: Options): Promise<void> {
  for (const dir of dirs) dropKept(keptDir(dir), beforeMs);
  for (let one = await store.next(null); one; one = await store.next(one.id)) {
    const bare = withoutBodies(spoolKey, one.sealed);
    if (bare) await store.reseal(one.id, bare);
  }
}

function dropKept(kept: string, beforeMs: number): void {
  if (!existsSync(kept)) return;
  for (const name of listSegments(kept).map(segmentName))
    if (statSync(join(kept, name)).mtimeMs < beforeMs) rmSync(join(kept, name), { force: true });
}

/** null: it has none, or another key sealed it. */
function withoutBodies(spoolKey: Buffer, sealed: Buffer): Buffer | null {
  try {
    const kept = openKept(spoolKey, sealed);
    if (!("exchange" in kept)) return null;
    const { request, response } = kept.exchange;
    const hasBodies = request.chunks.length > 0 || (response?.chunks.length ?? 0) > 0;
    return hasBodies ? sealExchange(spoolKey, kept.exchange, false) : null;
  } catch {
    return null;
  }
}
