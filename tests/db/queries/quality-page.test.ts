import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import {
  newestComments,
  ratableOverTime,
  ratingsByGroup,
  ratingsOverTime,
  waitingFeedback,
} from "#db/queries/quality-page.ts";
import { rollUpCalls } from "#db/rollup-calls.ts";
import { cutIntoBuckets } from "#lib/range.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type RatedCall, rateAll, seedRated, wordRow } from "#tests/support/seed-rated.ts";

const DAY_MS = 86_400_000;

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());
beforeEach(() => db.sql`truncate calls, usage_lines, feedback, ratings, ratings_sums, ratings_folded, rollup_calls`);

const scope = (from: string, to: string, filter: CallFilter = {}): Scope => ({
  project: "default",
  interval: { fromMs: Date.parse(from), toMs: Date.parse(to) },
  filter,
});
const seed = async (calls: RatedCall[]) => {
  const ids = await seedRated(db.sql, calls);
  await db.sql.unsafe(rollUpCalls("true"));
  return ids;
};
const insertWords = async (...rows: object[]) => {
  await db.sql`insert into feedback select * from json_populate_recordset(null::feedback, ${JSON.stringify(rows)}::text::json)`;
  await rateAll(db.sql);
};
/** Of the whole range: up, down, rated calls, ratable calls. */
const sums = async (of: Scope) => {
  const edges = [of.interval.fromMs, of.interval.toMs];
  const [said] = await ratingsOverTime(db.sql, of, edges);
  const [possible] = await ratableOverTime(db.sql, of, edges);
  return [said?.up ?? 0, said?.down ?? 0, said?.ratedCalls ?? 0, possible?.calls ?? 0];
};
const MAY = ["2026-05-01T00:00Z", "2026-06-01T00:00Z"] as const;

describe("a day of ratings is the zone's own day", () => {
  // New York: clocks go forward on 8 March 2026 (07:00Z) and back on 1 November (06:00Z). Chatham: back on 5 April (14:00Z on
  // the 4th), forward on 27 September (14:00Z on the 26th), at +12:45 and +13:45.
  it.each([
    [
      "UTC",
      "2026-05-01",
      ["2026-05-01T00:00:00.000Z", "2026-05-01T23:59:59.999Z", "2026-05-02T00:00:00.000Z", "2026-05-03T23:59:59.999Z"],
      [2, 1, 1],
    ],
    [
      "Asia/Kolkata",
      "2026-05-01",
      ["2026-04-30T18:29:59.999Z", "2026-04-30T18:30:00.000Z", "2026-05-01T18:29:59.999Z", "2026-05-01T18:30:00.000Z"],
      [2, 1, 0],
    ],
    [
      "America/New_York",
      "2026-03-07",
      // The 8th lasts 23 hours: from 05:00Z to 04:00Z.
      ["2026-03-08T04:59:59.999Z", "2026-03-08T05:00:00.000Z", "2026-03-09T03:59:59.999Z", "2026-03-09T04:00:00.000Z"],
      [1, 2, 1],
    ],
    [
      "America/New_York",
      "2026-10-31",
      // The 1st lasts 25 hours: from 04:00Z to 05:00Z.
      ["2026-11-01T03:59:59.999Z", "2026-11-01T04:00:00.000Z", "2026-11-02T04:59:59.999Z", "2026-11-02T05:00:00.000Z"],
      [1, 2, 1],
    ],
    [
      "Pacific/Chatham",
      "2026-04-04",
      // The 4th begins at 10:15Z of the 3rd; the 5th lasts 25 hours: from 10:15Z to 11:15Z.
      ["2026-04-03T10:15:00.000Z", "2026-04-04T10:15:00.000Z", "2026-04-05T11:14:59.999Z", "2026-04-05T11:15:00.000Z"],
      [1, 2, 1],
    ],
    [
      "Pacific/Chatham",
      "2026-09-26",
      // The 27th lasts 23 hours: from 11:15Z to 10:15Z.
      ["2026-09-26T11:14:59.999Z", "2026-09-26T11:15:00.000Z", "2026-09-27T10:14:59.999Z", "2026-09-27T10:15:00.000Z"],
      [1, 2, 1],
    ],
  ])("%s from %s", async (zone, firstDay, times, expected) => {
    await seed(times.map((at) => ({ at, ratings: "u" })));
    const wide = { fromMs: Date.parse(firstDay) - 2 * DAY_MS, toMs: Date.parse(firstDay) + 6 * DAY_MS };
    const local = new Intl.DateTimeFormat("sv", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
    const all = cutIntoBuckets(wide, zone, 200, DAY_MS).edges;
    const start = all.findIndex((edge) => local.format(edge) === `${firstDay} 00:00`);
    const edges = all.slice(start, start + 4);
    const of = scope(new Date(edges[0] ?? 0).toISOString(), new Date(edges[3] ?? 0).toISOString());
    const perDay = (rows: { slot: number; calls: number }[]) =>
      [1, 2, 3].map((slot) => rows.find((row) => row.slot === slot)?.calls ?? 0);
    const said = await ratingsOverTime(db.sql, of, edges);
    expect(perDay(said.map(({ slot, up }) => ({ slot, calls: up })))).toEqual(expected);
    // The same calls from the rollup, and one by one.
    expect(perDay(await ratableOverTime(db.sql, of, edges))).toEqual(expected);
    const exact = { ...of, filter: { customer: [""] } };
    expect(perDay(await ratableOverTime(db.sql, exact, edges))).toEqual(expected);
  });
});

describe("a rating", () => {
  it("belongs to the time of the call, whenever it came", async () => {
    const [id] = await seed([{ at: "2026-05-10T12:00Z" }]);
    await insertWords(
      wordRow({ target_id: id, call_id: id, rating: "up", received_at: "2026-07-01T00:00Z", matched_at: "2026-07-01" }),
    );
    expect(await sums(scope(...MAY))).toEqual([1, 0, 1, 1]);
    expect(await sums(scope("2026-07-01T00:00Z", "2026-08-01T00:00Z"))).toEqual([0, 0, 0, 0]);
  });
  it("is the last word of a rater on a target and its parts; history is kept", async () => {
    const [id] = await seed([{ at: "2026-05-10T12:00Z" }]);
    const word = (values: object, received_at: string) =>
      wordRow({ target_id: id, call_id: id, matched_at: received_at, received_at, ...values });
    await insertWords(
      word({ rater: "ann", rating: "up" }, "2026-05-10T13:00Z"),
      word({ rater: "ann", rating: "down" }, "2026-05-10T14:00Z"),
      word({ rater: "bob", rating: "up" }, "2026-05-10T13:00Z"),
      word({ rater: "cem", rating: "up" }, "2026-05-10T13:00Z"),
      word({ rater: "cem", rating: null }, "2026-05-10T14:00Z"),
      word({ rater: "ann", item: "second answer", rating: "up" }, "2026-05-10T12:30Z"),
    );
    expect(await sums(scope(...MAY))).toEqual([2, 1, 1, 1]);
    expect(await db.sql`select 1 from feedback`).toHaveLength(6);
  });
  it("of a session counts once, at the session's last call", async () => {
    await seed([
      { at: "2026-05-10T12:00Z", session: "s", feature: "chat" },
      { at: "2026-05-20T12:00Z", session: "s", feature: "search" },
      { at: "2026-05-21T12:00Z", session: "another" },
    ]);
    await insertWords(
      wordRow({
        target_kind: "session",
        target_id: "s",
        rating: "down",
        received_at: "2026-06-11T00:00Z",
        matched_at: "2026-06-11",
      }),
    );
    expect(await sums(scope(...MAY))).toEqual([0, 1, 1, 3]);
    const days = await ratingsOverTime(
      db.sql,
      scope(...MAY),
      ["2026-05-01T00:00Z", "2026-05-15T00:00Z", "2026-06-01T00:00Z"].map(Date.parse),
    );
    expect(days).toMatchObject([{ slot: 2, down: 1 }]);
    // Neither a filter nor a range moves it to another call.
    expect(await sums(scope(...MAY, { feature: ["chat"] }))).toEqual([0, 0, 0, 1]);
    expect(await sums(scope(...MAY, { feature: ["search"] }))).toEqual([0, 1, 1, 1]);
    expect(await sums(scope("2026-05-01T00:00Z", "2026-05-15T00:00Z"))).toEqual([0, 0, 0, 1]);
  });
  it("that still waits for its call is in no rate, and is counted apart", async () => {
    await seed([{ at: "2026-05-10T12:00Z", ratings: "u" }]);
    await insertWords(
      wordRow({ target_kind: "response", target_id: "resp_1", rating: "down", received_at: "2026-05-10T13:00Z" }),
      wordRow({ target_kind: "response", target_id: "resp_2", rating: "down", received_at: "2026-05-10T12:00Z" }),
      wordRow({ target_kind: "session", target_id: "gone", rating: "up", received_at: "2026-05-11T12:00Z" }),
    );
    expect(await sums(scope(...MAY))).toEqual([1, 0, 1, 1]);
    expect(await waitingFeedback(db.sql, "default")).toEqual([
      { kind: "response", count: 2, oldestAt: new Date("2026-05-10T12:00Z") },
      { kind: "session", count: 1, oldestAt: new Date("2026-05-11T12:00Z") },
    ]);
  });
  it("of another project is not seen", async () => {
    await seed([{ at: "2026-05-10T12:00Z", ratings: "u" }]);
    const other = { ...scope(...MAY), project: "other" };
    expect(await sums(other)).toEqual([0, 0, 0, 0]);
    expect(await waitingFeedback(db.sql, "other")).toEqual([]);
  });
});

describe("coverage", () => {
  it("is of completed calls that generate something to rate", async () => {
    await seed([
      { at: "2026-05-10T12:00Z", ratings: "uud" },
      { at: "2026-05-10T12:01Z" },
      { at: "2026-05-10T12:02Z", endpoint: "audio_speech" },
      { at: "2026-05-10T12:03Z", endpoint: "embeddings" },
      { at: "2026-05-10T12:04Z", endpoint: "models" },
      // Rated although it failed: a rating like any other, but no part of the coverage.
      { at: "2026-05-10T12:05Z", outcome: "failed", ratings: "d" },
    ]);
    expect(await sums(scope(...MAY))).toEqual([2, 2, 1, 3]);
    // Ends inside of quarters take the edges call by call.
    expect(await sums(scope("2026-05-10T12:00:30Z", "2026-05-10T12:02:00Z"))).toEqual([0, 0, 0, 1]);
    expect(await sums(scope("2026-05-10T11:59:59Z", "2026-05-10T13:00:01Z"))).toEqual([2, 2, 1, 3]);
  });
});

describe("groups", () => {
  const calls: RatedCall[] = [
    {
      at: "2026-05-10T12:00Z",
      ratings: "u",
      feature: "chat",
      template: "t",
      version: "1",
      model: "m-1",
      customer: "acme",
    },
    { at: "2026-05-10T12:01Z", ratings: "d", feature: "chat", template: "t", version: "2", requestModel: "m-1" },
    { at: "2026-05-10T12:02Z", ratings: "uu", feature: "search", template: "t", version: "2", model: "m-2" },
    { at: "2026-05-10T12:03Z", ratings: "u" },
    { at: "2026-05-10T12:04Z", feature: "chat" },
    { at: "2026-05-10T12:05Z", feature: "nobody rates this" },
  ];
  it.each([
    [
      "feature",
      [
        ["chat", "", 1, 1, 2, 3],
        ["search", "", 2, 0, 1, 1],
        ["", "", 1, 0, 1, 1],
      ],
    ],
    [
      "template",
      [
        ["t", "", 3, 1, 3, 3],
        ["", "", 1, 0, 1, 3],
      ],
    ],
    [
      "version",
      [
        ["t", "2", 2, 1, 2, 2],
        ["", "", 1, 0, 1, 3],
        ["t", "1", 1, 0, 1, 1],
      ],
    ],
    [
      "snapshot",
      [
        ["m-1", "", 1, 1, 2, 2],
        ["m-2", "", 2, 0, 1, 1],
        ["", "", 1, 0, 1, 3],
      ],
    ],
    [
      "customer",
      [
        ["", "", 3, 1, 3, 5],
        ["acme", "", 1, 0, 1, 1],
      ],
    ],
  ] as const)("by %s sum to the whole", async (grouping, expected) => {
    await seed(calls);
    const found = await ratingsByGroup(db.sql, scope(...MAY), grouping, 50);
    const rows = found.map((g) => [g.name, g.version, g.up, g.down, g.ratedCalls, g.ratableCalls]);
    const ordered = (list: readonly (readonly unknown[])[]) => [...list].map(String).sort();
    expect(ordered(rows)).toEqual(ordered(expected));
    const [up, down] = await sums(scope(...MAY));
    expect(found.reduce((sum, g) => sum + g.up, 0)).toBe(up);
    expect(found.reduce((sum, g) => sum + g.down, 0)).toBe(down);
    expect(await ratingsByGroup(db.sql, scope(...MAY), grouping, 1)).toHaveLength(1);
  });
  it("count the same where the rollup has folded values away", async () => {
    await seed(calls);
    await db.sql`update rollup_calls set feature = '(other)' where feature in ('search', 'nobody rates this')`;
    const found = await ratingsByGroup(db.sql, scope(...MAY), "feature", 50);
    expect(found.find(({ name }) => name === "search")?.ratableCalls).toBe(1);
  });
});

it("comments come with thumbs-down first, then the newest", async () => {
  await seed([
    { at: "2026-05-10T12:00Z", ratings: "u", comment: "fine" },
    { at: "2026-05-10T12:01Z", ratings: "d", comment: "old and bad", template: "t", version: "1", model: "m" },
    { at: "2026-05-10T12:02Z", ratings: "d", comment: "new and bad" },
    { at: "2026-05-10T12:03Z", ratings: "n", comment: "=HYPERLINK(" },
    { at: "2026-05-10T12:04Z", ratings: "d" },
    { at: "2026-05-10T12:05Z", ratings: "d", correction: "Better: 42" },
    { at: "2026-04-10T12:05Z", ratings: "d", comment: "before the range" },
  ]);
  const found = await newestComments(db.sql, scope(...MAY), 10);
  expect(found.map(({ comment, correction }) => comment || correction)).toEqual([
    "Better: 42",
    "new and bad",
    "old and bad",
    "=HYPERLINK(",
    "fine",
  ]);
  expect(found[2]).toMatchObject({ rating: "down", template: "t", templateVersion: "1", model: "m", rater: "rater 0" });
  expect(await newestComments(db.sql, scope(...MAY), 2)).toHaveLength(2);
  const [day] = await ratingsOverTime(db.sql, scope(...MAY), MAY.map(Date.parse));
  expect(day?.corrections).toBe(1);
});
