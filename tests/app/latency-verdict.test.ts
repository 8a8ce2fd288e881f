import { describe, expect, it } from "vitest";
import { type Episode, findEpisode, narrowed, OWN, WAITING } from "#app/latency/episode.ts";
import { meanParts, whereExcess, whoseExcess } from "#app/latency/excess.ts";
import { findingSentence } from "#app/latency/finding-sentence.ts";
import { explain, type Finding, type Series, type Suspect, watch } from "#app/latency/verdict.ts";
import type { Column, Strip } from "#db/queries/latency-page.ts";
import type { Route } from "#db/queries/latency-routes.ts";
import { seeded } from "#tests/support/split.ts";

const MINUTE = 60_000;
/** One minute per figure; null is a minute with too few calls. */
const paced = (...p95s: (number | null)[]) =>
  p95s.map((p95Ms, i) => ({ fromMs: i * MINUTE, toMs: (i + 1) * MINUTE, p95Ms }));
const episodeOf = (p95s: (number | null)[], usualMs: number | null = null, rule = WAITING) =>
  findEpisode(paced(...p95s), rule, usualMs)?.episode ?? null;
const minutes = (episode: Episode | null) => episode && [episode.fromMs / MINUTE, episode.toMs / MINUTE];

describe("a slow stretch", () => {
  it("begins and ends with slow columns", () => {
    expect(episodeOf([500, 510, 1400, 1500, 490, 505, 500])).toEqual({
      fromMs: 2 * MINUTE,
      toMs: 4 * MINUTE,
      reachesEnd: false,
      first: 2,
      last: 3,
    });
  });
  it("is 1.5 times the usual and 100 ms more, and not a millisecond less", () => {
    // All alike: nothing scatters, so only the rule's own limits count.
    expect(minutes(episodeOf([400, 400, 400, 400, 600]))).toEqual([4, 5]);
    expect(episodeOf([400, 400, 400, 400, 599])).toBeNull();
    expect(minutes(episodeOf([100, 100, 100, 100, 200]))).toEqual([4, 5]);
    expect(episodeOf([100, 100, 100, 100, 199])).toBeNull();
  });
  it("may have one column between that is not slow, or unknown, but not two", () => {
    const calm = [500, 500, 500, 500, 500, 500, 500];
    expect(minutes(episodeOf([500, 1500, 500, 1500, ...calm]))).toEqual([1, 4]);
    expect(minutes(episodeOf([500, 1500, null, 1500, ...calm]))).toEqual([1, 4]);
    expect(minutes(episodeOf([500, 1500, 500, 500, 1500, ...calm]))).toEqual([4, 5]);
  });
  it("is the latest one", () => {
    expect(minutes(episodeOf([500, 3000, 500, 500, 500, 500, 1200, 500, 500]))).toEqual([6, 7]);
  });
  it("goes on where no column after it says otherwise", () => {
    expect(episodeOf([500, 500, 500, 500, 1500, 1500])?.reachesEnd).toBe(true);
    expect(episodeOf([500, 500, 500, 500, 1500, 1500, null])?.reachesEnd).toBe(true);
    expect(episodeOf([500, 500, 500, 500, 1500, 500])?.reachesEnd).toBe(false);
  });
  it("that fills half of the range is still not usual", () => {
    expect(minutes(episodeOf([500, 500, 500, 1300, 1300, 1300]))).toEqual([3, 6]);
  });
  it("that fills most of the range is seen only against last week", () => {
    expect(episodeOf([1300, 1300, 1300, 1300, 500])).toBeNull();
    expect(minutes(episodeOf([1300, 1300, 1300, 1300, 500], 500))).toEqual([0, 4]);
    expect(minutes(episodeOf([1300, 1300, 1300, 1300], 500))).toEqual([0, 4]);
  });
  it("cannot be told from fewer than four columns", () => {
    expect(findEpisode(paced(500, 500, 5000), WAITING, null)).toBeNull();
    expect(findEpisode(paced(500, null, null, 500, 5000), WAITING, 500)).toBeNull();
    expect(findEpisode([], WAITING, null)).toBeNull();
  });
  it("of our own is 50 ms in all and 3 times the usual", () => {
    expect(minutes(episodeOf([0.4, 0.4, 0.4, 0.4, 210], null, OWN))).toEqual([4, 5]);
    expect(episodeOf([0.4, 0.4, 0.4, 0.4, 49], null, OWN)).toBeNull();
    expect(episodeOf([30, 30, 30, 30, 89], null, OWN)).toBeNull();
    expect(minutes(episodeOf([30, 30, 30, 30, 90], null, OWN))).toEqual([4, 5]);
    // However much fractions of a millisecond scatter.
    expect(minutes(episodeOf([0.2, 2, 0.3, 4, 0.2, 210], null, OWN))).toEqual([5, 6]);
  });
  it("is told more closely by finer columns, where these know it", () => {
    const wide = episodeOf([500, 500, 500, 500, 1500]) as Episode;
    const finer = [500, 1600, null, 1500, 510].map((p95Ms, i) => ({ fromMs: 240_000 + i, toMs: 240_001 + i, p95Ms }));
    expect(narrowed(wide, finer, 800)).toEqual({ ...wide, fromMs: 240_001, toMs: 240_004 });
    expect(narrowed(wide, finer, 2000)).toBe(wide);
    expect(narrowed(wide, [], 800)).toBe(wide);
  });
  it("is not what scatters like that all the time", () => {
    expect(episodeOf([500, 1200, 480, 1250, 510, 1300, 490, 1220, 500])).toBeNull();
  });

  /** The 95th of n percentiles of log-normal durations around 800 ms. */
  function quietRange(random: () => number, columns: number, n: number, sigma: number) {
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Array.from({ length: columns }, () => {
      const all = Array.from({ length: n }, () => 800 * Math.exp(sigma * normal())).sort((a, b) => a - b);
      return all[Math.ceil(n * 0.95) - 1] as number;
    });
  }
  it.each([
    { columns: 96, n: 20, sigma: 0.6 },
    { columns: 96, n: 50, sigma: 0.9 },
    { columns: 168, n: 25, sigma: 0.8 },
    { columns: 24, n: 40, sigma: 0.6 },
    { columns: 8, n: 20, sigma: 0.6 },
  ])("is found in fewer than one of twenty quiet ranges: $columns columns of $n calls", ({ columns, n, sigma }) => {
    const random = seeded(columns * n);
    const ranges = 200;
    let found = 0;
    for (let i = 0; i < ranges; i++) if (episodeOf(quietRange(random, columns, n, sigma))) found++;
    expect(found / ranges).toBeLessThan(0.05);
  });
  it("of ten columns, three times as slow, is found wherever it is", () => {
    const random = seeded(7);
    let found = 0;
    for (let i = 0; i < 100; i++) {
      const p95s = quietRange(random, 96, 30, 0.6);
      const start = Math.floor(random() * 80);
      for (let at = start; at < start + 10; at++) p95s[at] = (p95s[at] as number) * 3;
      const episode = episodeOf(p95s);
      // Its first and last columns may be quick by chance.
      if (episode && Math.abs(episode.first - start) <= 2 && Math.abs(episode.last - start - 9) <= 2) found++;
    }
    // A later stretch by chance would be told instead.
    expect(found).toBeGreaterThanOrEqual(95);
  });
});

const parts = (clientMs: number, ownMs: number, upstreamMs: number) => ({ clientMs, ownMs, upstreamMs });

describe("the excess", () => {
  it("is whose time grew most, of all that grew", () => {
    expect(whoseExcess(parts(10, 1, 1300), parts(10, 1, 500))).toEqual({ who: "upstream", share: 1 });
    expect(whoseExcess(parts(10, 201, 505), parts(10, 1, 500))).toEqual({ who: "own", share: 200 / 205 });
    // What shrank takes nothing away from the others.
    expect(whoseExcess(parts(60, 1, 400), parts(10, 1, 500))).toEqual({ who: "client", share: 1 });
    expect(whoseExcess(parts(1, 1, 1), parts(1, 1, 1))).toBeNull();
  });
  const route = (feature: string, model: string, callsTimed: number, nowMs: number, usualMs: number | null) => ({
    feature,
    model,
    callsTimed,
    during: parts(0, 0, nowMs),
    usual: usualMs === null ? null : parts(0, 0, usualMs),
  });
  it("is in the feature that has most of it", () => {
    const routes = [
      route("chat", "a", 10, 1300, 500),
      route("search", "a", 100, 510, 500),
      route("rest", "a", 9, 100, 900),
    ];
    // 8,000 of 9,000 ms.
    expect(whereExcess(routes, 500)).toEqual({ feature: "chat", model: null, share: 8 / 9 });
  });
  it("names the model when it is one of several", () => {
    const routes = [route("chat", "a", 10, 1300, 500), route("chat", "b", 10, 500, 500)];
    expect(whereExcess(routes, 500)).toEqual({ feature: "chat", model: "a", share: 1 });
    const both = [route("chat", "a", 10, 1300, 500), route("chat", "b", 10, 1300, 500)];
    expect(whereExcess(both, 500)).toEqual({ feature: "chat", model: null, share: 1 });
  });
  it("is nowhere in particular when no feature has half of it", () => {
    const routes = ["a", "b", "c"].map((feature) => route(feature, "m", 10, 1300, 500));
    expect(whereExcess(routes, 500)).toBeNull();
    expect(whereExcess([route("a", "m", 10, 400, 500)], 500)).toBeNull();
    expect(whereExcess([], 500)).toBeNull();
  });
  it("of a new route is what it takes above all calls' usual", () => {
    expect(whereExcess([route("new", "m", 10, 1300, null), route("old", "m", 10, 600, 500)], 500)).toEqual({
      feature: "new",
      model: null,
      share: 8 / 9,
    });
  });
  it("weighs columns by their calls", () => {
    expect(
      meanParts([
        { callsTimed: 3, parts: parts(0, 0, 100) },
        { callsTimed: 1, parts: parts(4, 8, 500) },
        { callsTimed: 0, parts: null },
      ]),
    ).toEqual(parts(1, 2, 200));
    expect(meanParts([])).toBeNull();
  });
});

const NOTHING = { n: 0, p50Ms: null, p95Ms: null, p99Ms: null };
const AT = Date.parse("2026-11-20T14:00Z");
/** Five-minute columns from 14:00 on. */
const edges = Array.from({ length: 9 }, (_, i) => AT + i * 5 * MINUTE);
const week = { fromMs: AT - 168 * 60 * MINUTE, toMs: AT - 167 * 60 * MINUTE };

function column(at: number, p95Ms: number, mean: ReturnType<typeof parts>): Column {
  const percentiles = { n: 40, p50Ms: 400, p95Ms, p99Ms: null };
  return { column: at, modality: "text", calls: 40, callsFailed: 0, callsTimed: 40, percentiles, ...mean };
}
/** Slow in the columns from 14:05 to 14:15. */
const slowColumns = edges
  .slice(0, -1)
  .map((_, i) => (i === 1 || i === 2 ? column(i, 1600, parts(1, 1, 1200)) : column(i, 760, parts(1, 1, 500))));

function strip(over: Partial<Strip> = {}): Strip {
  const p = { n: 80, p50Ms: 900, p95Ms: null, p99Ms: null };
  return {
    modality: "text",
    calls: 80,
    callsFailed: 0,
    callsTimed: 80,
    percentiles: { first_byte: p, first_token: p, first_audio: NOTHING, duration: p, own: p },
    ...parts(1, 1, 1200),
    tokensPerSecond: null,
    ...over,
  };
}

function slowRoute(feature: string, calls: number, now: number, before: number): Route {
  return {
    feature,
    model: "gpt-4o",
    endpoint: "chat_completions",
    modality: "text",
    calls,
    callsFailed: 0,
    callsTimed: calls,
    percentiles: NOTHING,
    firstToken: NOTHING,
    tokensPerSecond: null,
    ...parts(1, 1, now),
    before: { callsTimed: 100, p50Ms: 500, p95Ms: 760, ...parts(1, 1, before) },
    excessSeconds: null,
  };
}

const series = (over: Partial<Series> = {}): Series => ({
  modality: "text",
  metric: "first_token",
  columns: slowColumns,
  before: null,
  ...over,
});
const suspectOf = (one: Series): Suspect => {
  const watched = watch(one, edges, week);
  if (watched.state !== "slow") throw new Error(watched.state);
  return watched.suspect;
};
const view = (nowMs: number, toMs = nowMs) => ({ zone: "UTC", nowMs, interval: { fromMs: AT, toMs } });
const said = (finding: Finding, at = view(AT + 40 * MINUTE)) =>
  findingSentence(finding, "Text", at)
    .map(({ text }) => text)
    .join("");

describe("the verdict", () => {
  const routes = [slowRoute("support-chat", 40, 1900, 500), slowRoute("search", 40, 500, 498)];

  it("names when, whose and where", () => {
    const finding = explain(suspectOf(series()), strip(), routes);
    // 1,400 ms in 40 calls against 2 ms in 40.
    expect(said(finding)).toBe(
      "Text: p95 first token 1.60 s (2.1 × usual) from 14:05 to 14:15; 100 % of the excess is upstream; > 99 % of it in support-chat.",
    );
  });
  it("names us when it is us", () => {
    const slow = slowColumns.map((one) => ({ ...one, ...(one.percentiles.p95Ms === 1600 && parts(1, 801, 520)) }));
    const finding = explain(suspectOf(series({ columns: slow })), strip(parts(1, 801, 520)), []);
    expect(said(finding)).toBe(
      "Text: p95 first token 1.60 s (2.1 × usual) from 14:05 to 14:15; 98 % of the excess is Omnimeter's own queue.",
    );
  });
  it("takes last week as usual where it had enough calls, and its hours as the routes' baseline", () => {
    const before = strip({ callsTimed: 100, ...parts(1, 1, 700) });
    before.percentiles.first_token = { n: 100, p50Ms: 400, p95Ms: 800, p99Ms: null };
    const suspect = suspectOf(series({ before }));
    expect(suspect).toMatchObject({ usualMs: 800, usualFrom: "week", usualParts: parts(1, 1, 700), baseline: week });
    before.callsTimed = 99;
    expect(suspectOf(series({ before }))).toMatchObject({
      usualMs: 760,
      usualFrom: "range",
      usualParts: parts(1, 1, 500),
      // After it is longer than before it.
      baseline: { fromMs: AT + 15 * MINUTE, toMs: AT + 40 * MINUTE },
    });
  });
  it("gives the whole stretch's p95 where it has one, else the worst column's", () => {
    const enough = strip({ callsTimed: 200 });
    enough.percentiles.first_token = { n: 200, p50Ms: 900, p95Ms: 1550, p99Ms: null };
    expect(explain(suspectOf(series()), enough, []).p95Ms).toBe(1550);
    expect(explain(suspectOf(series()), strip(), []).p95Ms).toBe(1600);
  });
  it("says since when while it goes on", () => {
    const late = edges.slice(0, -1).map((_, i) => column(i, i > 5 ? 1600 : 760, parts(1, 1, i > 5 ? 1200 : 500)));
    const finding = explain(suspectOf(series({ columns: late })), strip(), []);
    expect(said(finding)).toContain("since 14:30;");
    // The same range, looked at a day later, is over; the day is named then.
    expect(said(finding, view(AT + 1440 * MINUTE, AT + 40 * MINUTE))).toContain("from 20 Nov 14:30 to 14:40;");
  });
  it("is quiet with the range of what it saw, or has too few calls to tell", () => {
    const quiet = edges.slice(0, -1).map((_, i) => column(i, 700 + i, parts(1, 1, 500)));
    expect(watch(series({ columns: quiet }), edges, week)).toEqual({ state: "quiet", lowMs: 700, highMs: 707 });
    expect(watch(series({ columns: quiet.slice(0, 3) }), edges, week)).toEqual({ state: "too few" });
    expect(watch(series({ columns: [] }), edges, week)).toEqual({ state: "too few" });
  });
  it("neighbours are neighbours in time: a column without calls lies between", () => {
    const gap = slowColumns.filter(({ column: at }) => at !== 2 && at !== 3);
    expect(suspectOf(series({ columns: gap })).episode).toMatchObject({ first: 1, last: 1 });
  });
});
