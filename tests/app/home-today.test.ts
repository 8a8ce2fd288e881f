import { expect, it } from "vitest";
import { today } from "#app/(home)/today.ts";

const iso = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
  [fromMs, toMs].map((ms) => new Date(ms).toISOString());

it.each([
  [
    "UTC",
    "2026-05-04T10:20:30Z",
    "2026-05-04T00:00Z",
    "2026-05-05T00:00Z",
    "2026-04-27T00:00Z",
    "2026-04-27T10:20:30Z",
  ],
  // It is already the 5th there.
  [
    "Asia/Kolkata",
    "2026-05-04T20:00Z",
    "2026-05-04T18:30Z",
    "2026-05-05T18:30Z",
    "2026-04-27T18:30Z",
    "2026-04-27T20:00Z",
  ],
  // 8 March 2026 has 23 hours in New York; a week ago, 10:00 was 15:00Z and is 14:00Z now.
  [
    "America/New_York",
    "2026-03-08T14:00Z",
    "2026-03-08T05:00Z",
    "2026-03-09T04:00Z",
    "2026-03-01T05:00Z",
    "2026-03-01T15:00Z",
  ],
  // 1 November 2026 has 25.
  [
    "America/New_York",
    "2026-11-01T15:00Z",
    "2026-11-01T04:00Z",
    "2026-11-02T05:00Z",
    "2026-10-25T04:00Z",
    "2026-10-25T14:00Z",
  ],
])("a day in %s at %s", (zone, now, from, to, weekFrom, weekTo) => {
  const { day, weekAgo } = today(Date.parse(now), zone);
  const moments = (...texts: string[]) => texts.map((text) => new Date(text).toISOString());
  expect(iso(day)).toEqual(moments(from, to));
  expect(iso(weekAgo)).toEqual(moments(weekFrom, weekTo));
});
