import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { wordsOfCall } from "#db/queries/call-feedback.ts";
import { recordFeedback } from "#db/record-feedback.ts";
import type { Feedback } from "#lib/feedback.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { seedRated, wordRow } from "#tests/support/seed-rated.ts";

const nextId = createUuid7();

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());
beforeEach(() => db.sql`truncate calls, feedback, ratings`);

const word = (call: string, values: Partial<Feedback> = {}): Feedback => ({
  id: nextId(),
  receivedAtMs: Date.parse("2026-05-10T12:00Z"),
  target: { kind: "call", id: call },
  item: null,
  rating: "up",
  score: null,
  comment: null,
  correction: null,
  labels: [],
  rater: "dashboard",
  ...values,
});
const seedOne = async (session?: string) => {
  const [id] = await seedRated(db.sql, [{ at: "2026-05-10T11:00Z", ...(session ? { session } : {}) }]);
  return id as string;
};

it("a word counts at once; a later one of the same rater replaces it, and both are kept", async () => {
  const id = await seedOne();
  // The same millisecond: the id tells which came later.
  expect(await recordFeedback(db.sql, "default", word(id))).toBe(true);
  expect(
    await recordFeedback(db.sql, "default", word(id, { rating: "down", comment: "no", labels: ["a,b", '"'] })),
  ).toBe(true);
  expect(await recordFeedback(db.sql, "default", word(id, { rater: "ann" }))).toBe(true);
  const words = await wordsOfCall(db.sql, "default", { id, session: null });
  expect(words.map(({ rater, rating, counts }) => [rater, rating, counts])).toEqual([
    ["ann", "up", true],
    ["dashboard", "down", true],
    ["dashboard", "up", false],
  ]);
  expect(words[1]).toMatchObject({ comment: "no", labels: ["a,b", '"'], about: "call" });
  const rows = await db.sql`select matched_at is not null as matched, call_id from feedback`;
  expect(rows.every(({ matched, call_id }) => matched && call_id === id)).toBe(true);
});

it("what Postgres cannot keep is replaced, not refused", async () => {
  const id = await seedOne();
  await recordFeedback(db.sql, "default", word(id, { comment: "a\u0000b" }));
  expect((await wordsOfCall(db.sql, "default", { id, session: null }))[0]?.comment).toBe("a\ufffdb");
});

it("a call that is not there, or is another project's, takes no word", async () => {
  const id = await seedOne();
  expect(await recordFeedback(db.sql, "default", word(nextId()))).toBe(false);
  expect(await recordFeedback(db.sql, "other", word(id))).toBe(false);
  expect(await db.sql`select 1 from feedback`).toHaveLength(0);
});

it("words about its session stand with the call's own", async () => {
  const id = await seedOne("s-1");
  const about = (target_id: string) =>
    wordRow({ target_kind: "session", target_id, rating: "down", received_at: "2026-05-10T13:00Z" });
  await db.sql`insert into feedback select * from json_populate_recordset(null::feedback, ${JSON.stringify([about("s-1"), about("s-2")])}::text::json)`;
  const words = await wordsOfCall(db.sql, "default", { id, session: "s-1" });
  expect(words.map(({ about, rating }) => [about, rating])).toEqual([["session", "down"]]);
  expect(await wordsOfCall(db.sql, "default", { id, session: null })).toEqual([]);
});
