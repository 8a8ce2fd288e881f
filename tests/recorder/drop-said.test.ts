import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dropSaid } from "#lib/recorder/drop-said.ts";
import { openKept, sealCall, sealExchange } from "#lib/recorder/kept-exchange.ts";
import { segmentName } from "#lib/spool/segment.ts";
import { keptDir } from "#lib/spool/spool-dir.ts";
import { chatExchange } from "#tests/support/exchange.ts";

const DAY_MS = 86_400_000;
const EDGE = Date.UTC(2026, 5, 16);
const spoolKey = randomBytes(32);
let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "drop-said-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** A store of some rows. */
function storeOf(rows: Map<string, Buffer>) {
  return {
    next: async (after: string | null) => {
      const id = [...rows.keys()].sort().find((one) => after === null || one > after);
      return id === undefined ? null : { id, sealed: rows.get(id) as Buffer };
    },
    reseal: async (id: string, sealed: Buffer) => void rows.set(id, sealed),
  };
}
const none = storeOf(new Map());

test("kept segments go once the last word in them is older than content is kept; others stay", async () => {
  const write = (folder: string, number: number, atMs: number) => {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, segmentName(number));
    writeFileSync(file, "sealed");
    utimesSync(file, atMs / 1000, atMs / 1000);
  };
  write(keptDir(dir), 1, EDGE - 1000);
  write(keptDir(dir), 2, EDGE);
  // Not stored yet, however old.
  write(dir, 3, EDGE - DAY_MS);
  const without = join(dir, "no-kept");
  await dropSaid({ dirs: [dir, without], beforeMs: EDGE, spoolKey, store: none });
  expect(readdirSync(keptDir(dir))).toEqual([segmentName(2)]);
  expect(readdirSync(dir)).toContain(segmentName(3));
});

test("what is set aside loses its bodies and keeps its facts; what cannot be opened stays as it is", async () => {
  const exchange = chatExchange();
  const bare = sealExchange(spoolKey, exchange, false);
  const strange = sealExchange(randomBytes(32), exchange, true);
  const call = sealCall(spoolKey, { id: "c" } as never);
  const rows = new Map([
    ["a", sealExchange(spoolKey, exchange, true)],
    ["b", bare],
    ["c", call],
    ["d", strange],
    ["e", sealExchange(spoolKey, exchange, true)],
  ]);
  await dropSaid({ dirs: [], beforeMs: EDGE, spoolKey, store: storeOf(rows) });
  for (const id of ["a", "e"]) {
    const kept = openKept(spoolKey, rows.get(id) as Buffer);
    if (!("exchange" in kept)) throw new Error("it was an exchange");
    expect(kept.exchange).toMatchObject({ id: exchange.id, start: exchange.start, end: exchange.end });
    expect(kept.exchange.request).toEqual({ ...exchange.request, chunks: [], cut: true });
    expect(kept.exchange.response).toMatchObject({ chunks: [], cut: true, bytes: exchange.response?.bytes });
  }
  expect([rows.get("b"), rows.get("c"), rows.get("d")]).toEqual([bare, call, strange]);
});
