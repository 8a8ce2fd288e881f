import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foldRatings } from "#db/fold-ratings.ts";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import { GROUPINGS, ratableOverTime, ratingsByGroup, ratingsOverTime } from "#db/queries/quality-page.ts";
import { rollUpCalls } from "#db/rollup-calls.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type RatedCall, rateAll, seedRated, wordRow } from "#tests/support/seed-rated.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());

const scope = (from: string, to: string, filter: CallFilter): Scope => ({
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

describe("days that are summed", () => {
  const at = (day: number, time: string) => `2026-05-${String(day).padStart(2, "0")}T${time}Z`;
  const calls: RatedCall[] = [1, 2, 3, 4].flatMap((day) => [
    { at: at(day, "00:00:00.000"), ratings: "uud", feature: "chat", template: "t", version: "1", model: "m-1" },
    { at: at(day, "05:40"), ratings: "d", feature: "chat", requestModel: "m-1", customer: "acme" },
    { at: at(day, "10:20"), ratings: "n", correction: "42", feature: "search", session: "s" },
    { at: at(day, "10:21"), feature: "search", template: "t" },
    { at: at(day, "23:59:59.999"), ratings: "u", outcome: "failed", template: "t", version: "2" },
    { at: at(day, "23:59:59.999"), endpoint: "embeddings" },
  ]);
  const edgesOf = {
    "whole days": [1, 2, 3, 4, 5].map((day) => at(day, "00:00")),
    "days of Kolkata": [1, 2, 3, 4].map((day) => at(day, "18:30")),
    "one stretch that begins and ends within days": [at(1, "05:41"), at(4, "23:59:59.999")],
    "one stretch of less than a day": [at(2, "05:41"), at(2, "23:00")],
  };
  const filters: CallFilter[] = [
    {},
    { feature: ["chat"] },
    { template: ["t"], templateVersion: ["2", ""] },
    { model: ["m-1"] },
    { outcome: ["failed"] },
    // What only calls know.
    { modality: ["text"] },
    { cost: ["unpriced"], feature: ["chat"] },
  ];
  const everything = async () => {
    const found: unknown[] = [];
    for (const edges of Object.values(edgesOf))
      for (const filter of filters) {
        const of = scope(edges[0] as string, edges.at(-1) as string, filter);
        found.push(await ratingsOverTime(db.sql, of, edges.map(Date.parse)));
        found.push(await ratableOverTime(db.sql, of, edges.map(Date.parse)));
        // Groups know of no edges within.
        if (edges.length > 2) continue;
        for (const grouping of GROUPINGS) found.push(await ratingsByGroup(db.sql, of, grouping, 50));
      }
    return found;
  };

  it("come to the same as word by word and call by call, by any filter, group and edge", async () => {
    const ids = await seed(calls);
    const before = await everything();
    await foldRatings(db.sql, Date.parse(at(5, "03:00")));
    expect(await db.sql`select part, count(*)::int as days from ratings_folded group by 1 order by 1`).toEqual([
      { part: "calls", days: 4 },
      { part: "words", days: 4 },
    ]);
    expect(await everything()).toEqual(before);
    // They are really read: what is wrong in them is wrong on the page.
    await db.sql`update ratings_sums set up = up + 100 where part = 'words'`;
    expect(await everything()).not.toEqual(before);
    // A word on one of the days makes that day be read anew, and folded anew.
    await insertWords(
      ...ids.map((id) =>
        wordRow({
          target_id: id,
          call_id: id,
          rater: "new",
          rating: "up",
          received_at: at(6, "00:00"),
          matched_at: at(6, "00:00"),
        }),
      ),
    );
    expect(await db.sql`select distinct part from ratings_folded`).toEqual([{ part: "calls" }]);
    const after = await everything();
    await foldRatings(db.sql, Date.parse(at(7, "03:00")));
    expect(await db.sql`select part, count(*)::int as days from ratings_folded group by 1 order by 1`).toEqual([
      { part: "calls", days: 6 },
      { part: "words", days: 6 },
    ]);
    expect(await everything()).toEqual(after);
  });
});
