import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { spoolFamilies } from "#lib/proxy/spool-families.ts";
import { spoolDepth } from "#lib/spool/depth.ts";
import { segmentName } from "#lib/spool/segment.ts";

const dir = mkdtempSync(join(tmpdir(), "omnimeter-depth-"));
afterAll(() => rmSync(dir, { recursive: true }));
for (const [number, bytes] of [
  [1000, 50],
  [1060, 70],
  [1120, 30],
] as const)
  writeFileSync(join(dir, segmentName(number)), Buffer.alloc(bytes));

test("what lies behind the stored position waits, and nothing before it", () => {
  expect(spoolDepth(dir, { segment: 0, offset: 0 })).toEqual({ segments: 3, bytes: 150, begunAtMs: 1_000_000 });
  expect(spoolDepth(dir, { segment: 1060, offset: 20 })).toEqual({ segments: 2, bytes: 80, begunAtMs: 1_060_000 });
  expect(spoolDepth(dir, { segment: 1060, offset: 70 })).toEqual({ segments: 1, bytes: 30, begunAtMs: 1_120_000 });
  expect(spoolDepth(dir, { segment: 1120, offset: 30 })).toEqual({ segments: 0, bytes: 0, begunAtMs: null });
});

const figures = (state: { high: { segment: number; offset: number }; storedUntilMs: number | null } | null, at = dir) =>
  spoolFamilies([{ name: "worker-0", dir: at, state: state && { spool: "a", counts: null, ...state } }], 1_200_000).map(
    ({ samples }) => samples[0]?.value,
  );

test("the oldest is as old as its segment, or as what was stored last when that is later", () => {
  const high = { segment: 1060, offset: 20 };
  expect(figures({ high, storedUntilMs: null })).toEqual([80, 2, 140]);
  expect(figures({ high, storedUntilMs: 1_000_000 })).toEqual([80, 2, 140]);
  expect(figures({ high, storedUntilMs: 1_190_000 })).toEqual([80, 2, 10]);
  expect(figures({ high, storedUntilMs: 1_300_000 })).toEqual([80, 2, 0]);
  expect(figures({ high: { segment: 1120, offset: 30 }, storedUntilMs: 1_000_000 })).toEqual([0, 0, 0]);
});

test("a spool of which nobody has said how far it is stored, or that is gone, has no figures", () => {
  expect(figures(null)).toEqual([undefined, undefined, undefined]);
  const high = { segment: 0, offset: 0 };
  expect(figures({ high, storedUntilMs: null }, join(dir, "gone"))).toEqual([undefined, undefined, undefined]);
});
