import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { foldRatings } from "#db/fold-ratings.ts";
import { matchFeedback } from "#db/match-feedback.ts";
import { ensurePartitions } from "#db/partitions.ts";
import { rateDay } from "#db/rate-calls.ts";
import { recordBatch, type SpoolPlace } from "#db/record-batch.ts";
import { recordFeedback } from "#db/record-feedback.ts";
import { differences } from "#db/referee.ts";
import { leaseSpool, touchSpool } from "#db/spool-lease.ts";
import type { Call } from "#lib/call.ts";
import type { Feedback } from "#lib/feedback.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { IS_LONG, MAJORS } from "#tests/support/majors.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { seeded } from "#tests/support/split.ts";
import { storedRatings, wordsInForce } from "#tests/support/words-in-force.ts";

const DAY_MS = 86_400_000;
const DAYS = [0, 1, 2].map((day) => Date.UTC(2026, 4, 10 + day));

let template: Call;
beforeAll(async () => {
  const known = { projectId: "default", contentKey: null, knownInstructions: new Set<string>() };
  ({ call: template } = await decodeExchange(chatExchange(), known));
});

/** A call that began at a moment, with a response of its own. */
function newCall(ms: number, over: Partial<Call> = {}): Call {
  const id = createUuid7(() => ms)();
  return { ...template, id, operationId: id, startedAt: uuid7Ms(id), responseId: `resp-${id}`, session: null, ...over };
}

let receivedAtMs = Date.UTC(2026, 4, 20);
function newWord(target: Feedback["target"], over: Partial<Feedback> = {}): Feedback {
  receivedAtMs += 1000;
  const id = createUuid7(() => receivedAtMs)();
  const nothing = { item: null, score: null, comment: null, correction: null, labels: [], rater: "ann" };
  return { id, receivedAtMs, target, rating: "up", ...nothing, ...over };
}
const ofCall = ({ id }: Call): Feedback["target"] => ({ kind: "call", id });
const ofResponse = ({ responseId }: Call): Feedback["target"] => ({ kind: "response", id: responseId as string });
const ofSession = (id: string): Feedback["target"] => ({ kind: "session", id });

describe.each(MAJORS)("ratings on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase(major);
    await ensurePartitions(db.sql, DAYS[0] as number, DAYS[2] as number);
  });
  afterAll(() => db?.drop());
  beforeEach(async () => {
    await db.sql`truncate calls, usage_lines, feedback, ratings, ratings_sums, ratings_folded, provider_objects, rollup_calls, rollup_latency, rollup_spend`;
  });

  /** A recorder's way into the store. */
  async function newSpool() {
    const spool = `spool-${createUuid7()()}`;
    await leaseSpool(db.sql, spool, "me", false);
    let from: SpoolPlace = { segment: 0, offset: 0 };
    return async (calls: Call[], feedback: Feedback[] = []) => {
      await touchSpool(db.sql, spool, "me");
      const high = { segment: 1, offset: from.offset + 1 };
      await recordBatch(db.sql, {
        ...{ spool, lease: "me", from, low: high, high, run: "run", feedback },
        runs: new Map([["run", { accepted: calls.length, started: calls.length, dropped: {}, atRisk: 0 }]]),
        calls: calls.map((call) => ({
          call: { ...call, origin: { ...call.origin, spool } },
          payload: null,
          words: null,
        })),
        sealForSetAside: () => Buffer.alloc(0),
      });
      from = high;
    };
  }
  const compare = async () => {
    expect([...(await storedRatings(db.sql))]).toEqual([...(await wordsInForce(db.sql))]);
    const found = await differences(db.sql, DAYS[0] as number, (DAYS[2] as number) + DAY_MS);
    expect(found.filter(({ table }) => table.startsWith("ratings"))).toEqual([]);
  };
  /** Each row's call and thumb. */
  const rated = async () => {
    await compare();
    const rows = await db.sql<{ call_id: string; rating: string | null }[]>`
      select call_id, rating from ratings order by call_id, rating`;
    return rows.map(({ call_id, rating }) => [call_id, rating]);
  };

  it("hold the last word of each rater on each target, once its call is there", async () => {
    const record = await newSpool();
    const one = newCall(DAYS[0] as number, { feature: "chat" });
    await record([], [newWord(ofCall(one)), newWord(ofResponse(one), { rater: "bob", comment: "good" })]);
    await matchFeedback(db.sql, false);
    expect(await rated()).toEqual([]);
    await record([one], [newWord(ofCall(one), { rating: "down", correction: "42" })]);
    expect(await matchFeedback(db.sql, false)).toBe(3);
    expect(await rated()).toEqual([
      [one.id, "down"],
      [one.id, "up"],
    ]);
    expect(await db.sql`select feature, has_comment, has_correction from ratings order by rating`).toEqual([
      { feature: "chat", has_comment: false, has_correction: true },
      { feature: "chat", has_comment: true, has_correction: false },
    ]);
    // A word that came earlier and is matched later replaces nothing.
    const late = { ...newWord(ofCall(one)), receivedAtMs: Date.UTC(2026, 4, 19) };
    await record([], [late]);
    await matchFeedback(db.sql, false);
    expect(await rated()).toContainEqual([one.id, "down"]);
    await recordFeedback(db.sql, "default", newWord(ofCall(one), { rating: null }));
    expect(await rated()).toEqual([
      [one.id, "up"],
      [one.id, null],
    ]);
    expect(await db.sql`select 1 from feedback`).toHaveLength(5);
  });

  it("follow a session to its last call, and a call that is read again", async () => {
    const record = await newSpool();
    const [first, second] = DAYS.map((ms) => newCall(ms, { session: "s" })) as [Call, Call];
    await record([first], [newWord(ofSession("s")), newWord(ofCall(first), { rating: "down" })]);
    await matchFeedback(db.sql, false);
    expect(await rated()).toEqual([
      [first.id, "down"],
      [first.id, "up"],
    ]);
    await record([second]);
    expect(await rated()).toEqual([
      [first.id, "down"],
      [second.id, "up"],
    ]);
    // An earlier call that is stored later is not the last.
    await record([newCall((DAYS[0] as number) + 1, { session: "s" })]);
    expect(await rated()).toContainEqual([second.id, "up"]);
    // A better decoder finds other attributes, and that the last call is of no session.
    const better = { decoderVersion: first.decoderVersion + 1 };
    await record([
      { ...second, ...better, session: null },
      { ...first, ...better, outcome: "failed", feature: "search" },
    ]);
    const rows = await db.sql`select rating, outcome, feature from ratings where call_id = ${first.id}`;
    expect(rows).toEqual([{ rating: "down", outcome: "failed", feature: "search" }]);
    expect(await rated()).toHaveLength(2);
    expect(await rated()).not.toContainEqual([second.id, "up"]);
  });

  it("are another project's own", async () => {
    const record = await newSpool();
    const foreign = newCall(DAYS[0] as number, { projectId: "other", session: "s" });
    await record([foreign], [newWord(ofCall(foreign)), newWord(ofSession("s"))]);
    await matchFeedback(db.sql, false);
    expect(await rated()).toEqual([]);
  });

  it("are made anew day by day, whatever they were", async () => {
    const record = await newSpool();
    const calls = DAYS.map((ms) => newCall(ms, { session: "s" }));
    await record(calls, [newWord(ofSession("s")), ...calls.map((call) => newWord(ofCall(call), { rater: "bob" }))]);
    await matchFeedback(db.sql, false);
    const before = await rated();
    expect(before).toHaveLength(4);
    const damages = [
      "delete from ratings",
      "update ratings set feature = 'wrong', rating = null",
      // A word that there is not; and one about the session that stayed behind when the session went on.
      "update ratings set word_id = gen_random_uuid()",
      `update ratings set call_id = '${calls[0]?.id}' where word_id = (select id from feedback where target_kind = 'session')`,
    ];
    for (const damage of damages) {
      await db.sql.unsafe(damage);
      await expect(compare()).rejects.toThrow();
      for (const day of DAYS) await db.sql.unsafe(rateDay(day).join(";\n"));
      expect(await rated()).toEqual(before);
    }
  });

  it("rows of calls that are no longer kept stay", async () => {
    const record = await newSpool();
    const one = newCall(DAYS[0] as number);
    await record([one], [newWord(ofResponse(one))]);
    await matchFeedback(db.sql, false);
    await db.sql`truncate calls`;
    await record([], [newWord(ofResponse(one), { rater: "bob" })]);
    await matchFeedback(db.sql, false);
    expect(await db.sql`select call_id from ratings`).toEqual([{ call_id: one.id }]);
  });

  it("have one row for a rater who says many things at once", async () => {
    const record = await newSpool();
    const one = newCall(DAYS[0] as number);
    await record([one]);
    const said = Array.from({ length: 20 }, () => recordFeedback(db.sql, "default", newWord(ofCall(one))));
    expect(await Promise.all(said)).not.toContain(false);
    expect(await rated()).toEqual([[one.id, "up"]]);
  });

  it.runIf(IS_LONG)("are right after any steps, two recorders and two matchers at once", async () => {
    const spools = await Promise.all([newSpool(), newSpool()]);
    const random = seeded(major);
    const one = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    const known: Call[] = [];
    const sessions = ["a", "b", "c"];
    const drawCall = () =>
      newCall(one(DAYS) + Math.floor(random() * DAY_MS), {
        session: one([...sessions, null]),
        feature: one(["chat", null]),
        outcome: one(["completed", "failed"]),
      });
    const drawWord = (calls: Call[]) =>
      newWord(random() < 0.3 ? ofSession(one(sessions)) : one([ofCall, ofResponse])(one(calls)), {
        rater: one(["ann", "bob"]),
        rating: one(["up", "down", null]),
        item: one([null, null, "second"]),
        comment: one([null, "words", ""]),
      });
    for (let round = 0; round < 8; round++) {
      // What one stores the other does not know: a spool is read by one recorder.
      const batches = spools.map(() => {
        const fresh = Array.from({ length: 4 }, drawCall);
        const said = Array.from({ length: 6 }, () => drawWord([...fresh, ...known]));
        return { fresh, said };
      });
      const better = known.splice(0, 3).map((call) => ({
        ...call,
        session: one([...sessions, null]),
        feature: one(["chat", "renamed"]),
        decoderVersion: call.decoderVersion + 1,
      }));
      await Promise.all([
        ...spools.map((record, i) => record([...(batches[i]?.fresh ?? []), ...(i ? better : [])], batches[i]?.said)),
        matchFeedback(db.sql, true),
        matchFeedback(db.sql, false),
        ...(known[0] ? [recordFeedback(db.sql, "default", newWord(ofCall(known[0])))] : []),
        ...(round % 2 ? [foldRatings(db.sql, Date.now())] : []),
        ...(round % 4 === 3 ? [db.sql.unsafe(rateDay(one(DAYS)).join(";\n"))] : []),
      ]);
      known.push(...batches.flatMap(({ fresh }) => fresh), ...better);
      // What was stored in the same moment is found the next time.
      await Promise.all([matchFeedback(db.sql, false), matchFeedback(db.sql, false)]);
      await compare();
    }
    expect((await rated()).length).toBeGreaterThan(20);
    await foldRatings(db.sql, Date.now());
    expect((await db.sql`select 1 from ratings_folded`).length).toBeGreaterThanOrEqual(2 * DAYS.length);
    await compare();
  });
});
