import { afterAll, beforeAll, expect, test } from "vitest";
import { childrenOfCall } from "#db/queries/call-children.ts";
import { wordsOfCall, wordsOfSession } from "#db/queries/call-feedback.ts";
import { mediaOf, sealedMedia } from "#db/queries/call-media.ts";
import { parentOf } from "#db/queries/call-parent.ts";
import { anySession, sessionOptions, sessionsCost, sessionsOfPage, sessionTotals } from "#db/queries/session-list.ts";
import { callsOfSession, costOfSession, sessionOf, turnsOf } from "#db/queries/session-view.ts";
import { waitsByGroup, waitsOverTime } from "#db/queries/session-waits.ts";
import { unpricedProducts } from "#db/queries/spend-page.ts";
import { recordFeedback } from "#db/record-feedback.ts";
import { openBytes } from "#lib/privacy/seal.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { callAt, line, storedSpool } from "#tests/support/store-calls.ts";
import { storeMedia, storeVoice } from "#tests/support/store-voice.ts";

const AT = Date.parse("2026-11-20T10:00:00Z");
const HOUR = { fromMs: AT - 1000, toMs: AT + 3_600_000 };

let db: TestDatabase;
let voice: Awaited<ReturnType<typeof storeVoice>>;
let later: Awaited<ReturnType<typeof storeVoice>>;
beforeAll(async () => {
  db = await testDatabase();
  expect(await anySession(db.sql, "default")).toBe(false);
  voice = await storeVoice(db.sql, AT);
  later = await storeVoice(db.sql, AT + 120_000, { endedAt: null, endReason: null, closeCode: null, feature: "desk" });
});
afterAll(() => db?.drop());

test("a session comes back as it was stored, with the one that goes on with it", async () => {
  const found = await sessionOf(db.sql, "default", voice.session.id);
  expect(found).toMatchObject({ session: voice.session, resumedFrom: null, resumedBy: later.session.id });
  expect(await sessionOf(db.sql, "default", later.session.id)).toMatchObject({ resumedFrom: voice.session.id });
  expect(await turnsOf(db.sql, voice.session.id, 10)).toEqual(voice.turns);
  expect(await turnsOf(db.sql, voice.session.id, 2)).toHaveLength(2);
  expect(await sessionOf(db.sql, "another", voice.session.id)).toBeNull();
});

test("what it cost is the sum of its calls, to the last digit, and of its parts", async () => {
  const calls = await callsOfSession(db.sql, "default", voice.session.id, 10);
  expect(calls.map(({ endpoint, costUsd }) => [endpoint, costUsd])).toEqual([
    ["realtime", "0.008835"],
    ["realtime", "0.007585"],
    ["realtime_transcription", "0.00042"],
  ]);
  const cost = await costOfSession(db.sql, "default", voice.session.id);
  expect(cost).toMatchObject({ costUsd: "0.01684", calls: 3, callsUnpriced: 0 });
  // By hand: 55 + 57 text at 5, 64 + 256 cached text at 2.5, 13 + 92 audio at 40, 384 cached audio at 2.5, 39 text out at 20, 114 audio out at 80.
  expect(
    cost.parts.map(({ endpoint, direction, modality, cached, costUsd }) =>
      [endpoint, direction, modality, cached, costUsd].join(" "),
    ),
  ).toEqual([
    "realtime input audio false 0.0042",
    "realtime input audio true 0.00096",
    "realtime input text false 0.00056",
    "realtime input text true 0.0008",
    "realtime output audio false 0.00912",
    "realtime output text false 0.00078",
    "realtime_transcription input audio false 0.00042",
  ]);
});

test("sessions are listed newest first, with the median of their waits for audio and of how many", async () => {
  const rows = await sessionsOfPage(db.sql, { project: "default", interval: HOUR, filter: {} }, null, 10);
  expect(rows.map(({ id }) => id)).toEqual([later.session.id, voice.session.id]);
  // 300, 320, 410 and 2,100 ms: the second of four. The fifth turn answered in text.
  expect(rows[1]).toMatchObject({ latencyMs: 320, latencies: 4, costUsd: "0.01684", calls: 3, callsUnpriced: 0 });
  expect(rows[0]).toMatchObject({ endedAt: null, endReason: null, feature: "desk" });
  const of = (filter: object, cursor: Parameters<typeof sessionsOfPage>[2] = null, limit = 10) =>
    sessionsOfPage(db.sql, { project: "default", interval: HOUR, filter }, cursor, limit).then((found) =>
      found.map(({ feature }) => feature),
    );
  expect(await of({ feature: ["concierge"] })).toEqual(["concierge"]);
  expect(await of({ feature: [""] })).toEqual([]);
  expect(await of({ model: ["gpt-4o"] })).toEqual([]);
  expect(await of({}, { before: later.session.id })).toEqual(["concierge"]);
  expect(await of({}, { after: voice.session.id })).toEqual(["desk"]);
  // One more than asked for says that there are more.
  expect(await of({}, null, 1)).toHaveLength(2);
});

test("all sessions of a range are summed, their waits ranked as raw values", async () => {
  const totals = await sessionTotals(db.sql, { project: "default", interval: HOUR, filter: {} });
  // Each of two: 300, 320, 410 and 2,100 ms.
  expect(totals).toEqual({
    ...{ sessions: 2, turns: 10, bargeIns: 2, falseBargeIns: 2, wastedMs: 4400 },
    ...{ wastedUsd: "0.00704", wastedUnpriced: 0 },
    waits: { n: 8, p50: 320, p95: 2100, p99: 2100 },
  });
  expect(await sessionTotals(db.sql, { project: "default", interval: HOUR, filter: { feature: ["none"] } })).toEqual({
    ...{ sessions: 0, turns: 0, bargeIns: 0, falseBargeIns: 0, wastedMs: 0, wastedUsd: null, wastedUnpriced: 0 },
    waits: { n: 0, p50: null, p95: null, p99: null },
  });
});

test("what they cost together is the sum of the rows, page after page, or is not added up", async () => {
  const scope = { project: "default", interval: HOUR, filter: {} };
  // 2 × 0.01684.
  expect(await sessionsCost(db.sql, scope, 2)).toEqual({ costUsd: "0.03368", calls: 6, callsUnpriced: 0 });
  expect(await sessionsCost(db.sql, scope, 1)).toBeNull();
  expect(await sessionsCost(db.sql, { ...scope, filter: { feature: ["desk"] } }, 2)).toMatchObject({
    costUsd: "0.01684",
    calls: 3,
  });
  expect(await sessionsCost(db.sql, { ...scope, filter: { feature: ["none"] } }, 2)).toEqual({
    ...{ costUsd: null, calls: 0, callsUnpriced: 0 },
  });
});

test("waits are told over time by when the user stopped, and by feature and model with their parts", async () => {
  const scope = { project: "default", interval: HOUR, filter: {} };
  // The first session's turns end after 3, 9, 13 and 22 s, the second's two minutes later: beyond the last edge is in the last stretch.
  const edges = [AT - 1000, AT + 10_000, AT + 60_000, AT + 61_000];
  expect(await waitsOverTime(db.sql, scope, edges)).toEqual([
    { slot: 1, n: 2, p50Ms: 300, p95Ms: 320, p99Ms: 320 },
    { slot: 2, n: 2, p50Ms: 410, p95Ms: 2100, p99Ms: 2100 },
    { slot: 3, n: 4, p50Ms: 320, p95Ms: 2100, p99Ms: 2100 },
  ]);
  const groups = await waitsByGroup(db.sql, scope, 5);
  expect(groups.map(({ feature, n }) => [feature, n])).toEqual([
    ["concierge", 4],
    ["desk", 4],
  ]);
  // Noticed after 100, 50, 100 and 50 ms; one tool of 900 ms; waits of 320, 300, 2,100 and 410 ms.
  expect(groups[0]).toMatchObject({
    ...{ sessions: 1, p50Ms: 320, p95Ms: 2100, noticedMs: 75, toolMs: 225, modelMs: 482.5 },
    ...{ bargeIns: 1, wastedMs: 2200, wastedUsd: "0.00352", wastedUnpriced: 0 },
  });
  expect(await waitsByGroup(db.sql, scope, 1)).toHaveLength(1);
});

test("what was said about an answer, and about the session by its name, is read with the session", async () => {
  const say = (target: { kind: "call" | "session"; id: string }, comment: string) =>
    recordFeedback(db.sql, "default", {
      ...{ id: createUuid7()(), receivedAtMs: AT + 60_000, target, item: null, rating: "up", score: null },
      ...{ comment, correction: null, labels: [], rater: comment },
    });
  const [first] = voice.calls;
  expect(await say({ kind: "call", id: first?.id as string }, "clear")).toBe(true);
  await db.sql`
    insert into feedback (id, project_id, received_at, target_kind, target_id, rating, comment, rater, labels)
    values (${createUuid7()()}::uuid, 'default', now(), 'session', 'booth-7', 'down', 'slow', 'guest', '{}')`;
  const about = async (session: string | null, { calls }: typeof voice) => {
    const words = await wordsOfSession(db.sql, "default", { session, callIds: calls.map(({ id }) => id) });
    return words.map(({ comment, callId }) => [comment, callId]);
  };
  expect(await about("booth-7", voice)).toEqual([
    ["slow", null],
    ["clear", first?.id],
  ]);
  // The one that goes on with it has its name, and none of its calls.
  expect(await about("booth-7", later)).toEqual([["slow", null]]);
  expect(await about(null, later)).toEqual([]);
  expect(await wordsOfCall(db.sql, "default", { id: first?.id as string, session: null })).toHaveLength(1);
});

test("a call that only tells of others says what they came to", async () => {
  const store = await storedSpool(db.sql, "batches");
  const parent = await callAt(AT + 5000, { endpoint: "batches" }, []);
  const lines = await Promise.all(
    [1, 2].map((i) => callAt(AT + 4000 + i, { endpoint: "batch", parentId: parent.id, responseId: `batch_${i}` })),
  );
  await store([parent, ...lines]);
  expect(await childrenOfCall(db.sql, "default", parent.id)).toEqual({
    ...{ calls: 2, costUsd: "0.007", callsUnpriced: 0, firstId: lines[0]?.id },
  });
  expect(await childrenOfCall(db.sql, "default", lines[0]?.id as string)).toMatchObject({ calls: 0, firstId: null });
});

test("the menus of their filters list what there is, under the other filters", async () => {
  const scope = { project: "default", interval: HOUR, filter: { feature: ["desk"] } };
  expect(await sessionOptions(db.sql, scope, "feature", 5)).toEqual([
    { value: "concierge", sessions: 1 },
    { value: "desk", sessions: 1 },
  ]);
  expect(await sessionOptions(db.sql, scope, "customer", 5)).toEqual([{ value: "Acme", sessions: 1 }]);
  expect(await sessionOptions(db.sql, { ...scope, filter: {} }, "feature", 1)).toHaveLength(1);
});

test("a call knows what it came out of", async () => {
  const [call] = voice.calls;
  expect(await parentOf(db.sql, "default", call?.parentId ?? null)).toEqual({ id: voice.session.id, kind: "session" });
  expect(await parentOf(db.sql, "default", null)).toBeNull();
  expect(await parentOf(db.sql, "default", "0197f0a0-0000-7000-8000-000000000001")).toBeNull();
});

test("kept audio comes back as it was, and only with its own index", async () => {
  const key = Buffer.alloc(32, 7);
  const id = voice.calls[0]?.id as string;
  const bytes = Buffer.from("RIFF and more");
  await storeMedia(db.sql, id, { index: 0, direction: "output", mediaType: "audio/wav", bytes }, key);
  expect(await mediaOf(db.sql, id)).toEqual([{ index: 0, direction: "output", mediaType: "audio/wav", bytes: 13 }]);
  const found = await sealedMedia(db.sql, id, 0);
  expect(found && openBytes(found.sealed, key).toString()).toBe("RIFF and more");
  expect(await sealedMedia(db.sql, id, 1)).toBeNull();
});

test("what has no price is named by what it is listed under", async () => {
  const store = await storedSpool(db.sql, "products");
  const fee = (product: string) =>
    line({ direction: "tool", modality: "none", unit: "file_search_call", product, quantity: 1 });
  await store(
    await Promise.all([
      callAt(AT + 1000, {}, [fee("tool:moon")]),
      callAt(AT + 2000, {}, [fee("tool:moon")]),
      callAt(AT + 3000, {}, [fee("tool:sun")]),
    ]),
  );
  expect(await unpricedProducts(db.sql, { project: "default", interval: HOUR, filter: {} }, 5)).toEqual([
    "tool:moon",
    "tool:sun",
  ]);
  expect(await unpricedProducts(db.sql, { project: "another", interval: HOUR, filter: {} }, 5)).toEqual([]);
});
