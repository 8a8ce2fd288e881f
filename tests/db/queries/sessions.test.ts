import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CallFilter } from "#db/queries/call-filter.ts";
import { callFacts } from "#db/queries/call-page.ts";
import { RELATED_MAX, relatedCalls } from "#db/queries/related-calls.ts";
import { anySession, sessionsOfPage } from "#db/queries/session-list.ts";
import { callsOfSession, costOfSession, sessionOf, turnsOf } from "#db/queries/session-view.ts";
import type { Call } from "#lib/call.ts";
import type { Session } from "#lib/session.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { sessionAt, stepOf, turnOf } from "#tests/support/sessions.ts";
import { callAt, line, storedSpool } from "#tests/support/store-calls.ts";

const AT = Date.UTC(2026, 4, 6, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let db: TestDatabase;
let record: Awaited<ReturnType<typeof storedSpool>>;
beforeAll(async () => {
  db = await testDatabase();
  record = await storedSpool(db.sql, "spool-sessions");
});
afterAll(() => db.drop());

describe("sessions", () => {
  const REALTIME = "gpt-4o-realtime-preview-2024-12-17";
  const audio = (direction: "input" | "output", quantity: number, cache: "none" | "read" = "none") =>
    line({ direction, modality: "audio", quantity, cache });
  let voice: Session;
  let quiet: Session;
  let answers: Call[];

  beforeAll(async () => {
    expect(await anySession(db.sql, "default")).toBe(false);
    voice = sessionAt(AT, { session: "talk", feature: "hotline", model: REALTIME, turns: 3, endedAt: AT + 60_000 });
    quiet = sessionAt(AT + HOUR_MS, { session: "talk", customer: "acme", model: null });
    const later = sessionAt(AT + 60_000 + 5 * 60_000, { session: "talk", projectId: "default" });
    const foreign = sessionAt(AT + 1, { projectId: "other" });
    const child = (ms: number, over: Partial<Call>, lines: Parameters<typeof callAt>[2]) =>
      callAt(ms, { parentId: voice.id, model: REALTIME, endpoint: "realtime_response", ...over }, lines);
    // The worked example: text in 313 and audio in 476, of which 256 and 384 were cached; 9 and 23 out: 0.007585 USD.
    const first = await child(AT, {}, [
      line({ quantity: 57 }),
      line({ quantity: 256, cache: "read" }),
      audio("input", 92),
      audio("input", 384, "read"),
      line({ direction: "output", quantity: 9 }),
      audio("output", 23),
    ]);
    const said = await child(AT + 2000, { endpoint: "realtime_transcription", model: "whisper-1" }, [
      line({ unit: "second", modality: "audio", quantity: 30 }),
    ]);
    const unknown = await child(AT + 3000, { model: "gpt-9-unheard-of" }, [line({ quantity: 5 })]);
    answers = [first, said, unknown];
    const steps = [
      stepOf(voice, [
        turnOf(voice, 0, { latencyMs: 300, firstAudioMs: 1300 }),
        turnOf(voice, 1, { latencyMs: 500, firstAudioMs: 2500 }),
        turnOf(voice, 2, { latencyMs: 900, firstTextMs: 4000 }),
      ]),
      ...[quiet, later, foreign].map((one) => stepOf(one)),
    ];
    await record([...answers, await callAt(AT + 5000)], { sessions: steps });
  });

  it("of a range stand newest first, with what their calls cost and the median of how many waits for audio", async () => {
    const scope = { project: "default", interval: { fromMs: AT, toMs: AT + DAY_MS }, filter: {} };
    const rows = await sessionsOfPage(db.sql, scope, null, 10);
    expect(rows.map(({ id }) => id)).toEqual([quiet.id, expect.any(String), voice.id]);
    expect(rows.at(-1)).toMatchObject({
      model: REALTIME,
      turns: 3,
      latencyMs: 300,
      latencies: 2,
      calls: 3,
      // 0.007585 + 30 s × 0.006 / 60 s; the third has no price.
      costUsd: "0.010585",
      callsUnpriced: 1,
      startedAt: new Date(AT),
      endedAt: new Date(AT + 60_000),
    });
    expect(rows[0]).toMatchObject({
      latencyMs: null,
      latencies: 0,
      calls: 0,
      costUsd: null,
      callsUnpriced: 0,
      endedAt: null,
    });
  });

  it("are found by what they were for, and page by page in both directions", async () => {
    const interval = { fromMs: AT, toMs: AT + DAY_MS };
    const ids = async (filter: CallFilter, cursor: Parameters<typeof sessionsOfPage>[2] = null, limit = 10) =>
      (await sessionsOfPage(db.sql, { project: "default", interval, filter }, cursor, limit)).map(({ id }) => id);
    expect(await ids({ feature: ["hotline"] })).toEqual([voice.id]);
    expect(await ids({ customer: ["acme", "nobody"] })).toEqual([quiet.id]);
    expect(await ids({ feature: ["hotline", ""], model: [REALTIME] })).toContain(voice.id);
    expect(await ids({ model: [""] })).toEqual([quiet.id]);
    const [newest, middle, oldest] = await ids({});
    expect(await ids({}, null, 1)).toEqual([newest, middle]);
    expect(await ids({}, { before: middle as string })).toEqual([oldest]);
    expect(await ids({}, { after: oldest as string })).toEqual([newest, middle]);
    expect(await ids({}, { before: oldest as string })).toEqual([]);
    expect(await anySession(db.sql, "default")).toBe(true);
  });

  it("are shown with their turns, calls and parts of the cost, which sum to the whole", async () => {
    const found = await sessionOf(db.sql, "default", voice.id);
    expect(found?.session).toMatchObject({ ...voice, spool: "spool-sessions" });
    expect(found).toMatchObject({ resumedFrom: null, resumedBy: expect.any(String) });
    expect((await sessionOf(db.sql, "default", found?.resumedBy as string))?.resumedFrom).toBe(voice.id);
    expect(await sessionOf(db.sql, "other", voice.id)).toBeNull();
    expect((await turnsOf(db.sql, voice.id, 2)).map(({ index, latencyMs }) => [index, latencyMs])).toEqual([
      [0, 300],
      [1, 500],
    ]);
    const calls = await callsOfSession(db.sql, "default", voice.id, 10);
    expect(calls.map(({ id, costUsd, unpriced }) => [id, costUsd, unpriced])).toEqual([
      [answers[0]?.id, "0.007585", false],
      [answers[1]?.id, "0.003", false],
      [answers[2]?.id, null, true],
    ]);
    const cost = await costOfSession(db.sql, "default", voice.id);
    expect(cost).toMatchObject({ costUsd: "0.010585", calls: 3, callsUnpriced: 1 });
    const part = (endpoint: string, direction: string, modality: string, cached: boolean, costUsd: string) => ({
      endpoint,
      direction,
      modality,
      cached,
      costUsd,
    });
    expect([...cost.parts]).toEqual([
      // 92 × 40, 384 × 2.50, 57 × 5, 256 × 2.50, 23 × 80 and 9 × 20, each of a million.
      part("realtime_response", "input", "audio", false, "0.00368"),
      part("realtime_response", "input", "audio", true, "0.00096"),
      part("realtime_response", "input", "text", false, "0.000285"),
      part("realtime_response", "input", "text", true, "0.00064"),
      part("realtime_response", "output", "audio", false, "0.00184"),
      part("realtime_response", "output", "text", false, "0.00018"),
      part("realtime_transcription", "input", "audio", false, "0.003"),
    ]);
  });
});

describe("calls of one conversation", () => {
  const related = async (call: Call) => {
    const facts = await callFacts(db.sql, "default", call.id);
    if (!facts) throw new Error("it is not stored");
    return (await relatedCalls(db.sql, facts)).map(({ id, why }) => [id, why]);
  };

  it("are those that continue its answer or that it continues, step by step, and no others", async () => {
    const at = AT + 10 * DAY_MS;
    const say = (ms: number, previousResponseId: string | null, over: Partial<Call> = {}) =>
      callAt(ms, { previousResponseId, endpoint: "responses", ...over });
    const a = await say(at, null);
    const b = await say(at + 1000, a.responseId);
    const c = await say(at + 2000, b.responseId);
    const branch = await say(at + 3000, b.responseId);
    const end = await say(at + 4000, c.responseId);
    const elsewhere = await say(at + 5000, b.responseId, { upstream: "azure" });
    await record([a, b, c, branch, end, elsewhere]);
    expect(await related(b)).toEqual([a, c, branch, end].map(({ id }) => [id, ["response"]]));
    expect(await related(end)).toEqual([a, b, c].map(({ id }) => [id, ["response"]]));
    expect(await related(elsewhere)).toEqual([]);
  });

  it("are those of its session, conversation, socket and cache key too, with every reason, within a week", async () => {
    const at = AT + 20 * DAY_MS;
    const names = {
      session: "s-9",
      conversationId: "conv_9",
      promptCacheKey: "key-9",
      parentId: (await callAt(at)).id,
    };
    const one = await callAt(at, names);
    const all = await callAt(at + 1000, { ...names, previousResponseId: one.responseId });
    const some = await callAt(at - 1000, { session: "s-9", promptCacheKey: "key-9" });
    const weekAgo = await callAt(at - 8 * DAY_MS, { session: "s-9" });
    const other = await callAt(at + 2000, { session: "s-10" });
    await record([one, all, some, weekAgo, other]);
    expect(await related(one)).toEqual([
      [some.id, ["session", "cache_key"]],
      [all.id, ["socket", "response", "conversation", "session", "cache_key"]],
    ]);
    expect(await related(other)).toEqual([]);
  });

  it("are the nearest ones where there are more than a page shows", async () => {
    const at = AT + 30 * DAY_MS;
    const calls: Call[] = [];
    for (let i = 0; i < RELATED_MAX + 20; i++) calls.push(await callAt(at + i * 1000, { session: "long" }));
    await record(calls);
    const found = await related(calls[10] as Call);
    const expected = calls.filter((_, i) => i !== 10).slice(0, RELATED_MAX);
    expect(found.map(([id]) => id)).toEqual(expected.map(({ id }) => id));
  });

  it("that answer each other in a circle end", async () => {
    const at = AT + 40 * DAY_MS;
    const a = await callAt(at, { responseId: "resp_a", previousResponseId: "resp_b" });
    const b = await callAt(at + 1, { responseId: "resp_b", previousResponseId: "resp_a" });
    await record([a, b]);
    expect(await related(a)).toEqual([[b.id, ["response"]]]);
  });
});
