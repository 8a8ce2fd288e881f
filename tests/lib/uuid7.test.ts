import { describe, expect, it } from "vitest";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";

describe("call ids", () => {
  it("are UUIDv7s that hold their millisecond", () => {
    const id = createUuid7(() => 1_795_180_596_608)();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(uuid7Ms(id)).toBe(1_795_180_596_608);
  });

  it("never go down, not within a millisecond and not when the clock is set back", () => {
    let now = 1000;
    const next = createUuid7(() => now);
    const ids = Array.from({ length: 10_000 }, (_, i) => {
      if (i === 5000) now = 10;
      return next();
    });
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("follow a clock that was more than an hour ahead and is set right", () => {
    let now = 1_795_180_596_608;
    const next = createUuid7(() => now);
    const hour = 3_600_000;
    next();
    now -= hour;
    expect(uuid7Ms(next())).toBe(now + hour);
    now -= 1;
    const first = next();
    expect(uuid7Ms(first)).toBe(now);
    expect(next() > first).toBe(true);
  });
});
