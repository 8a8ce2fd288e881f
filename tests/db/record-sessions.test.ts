import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionRow } from "#db/record-sessions.ts";
import { differences } from "#db/referee.ts";
import { retire } from "#db/retention.ts";
import type { Session } from "#lib/session.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { sessionAt, stepOf, turnOf } from "#tests/support/sessions.ts";
import { callAt, storedSpool } from "#tests/support/store-calls.ts";

const AT = Date.UTC(2026, 4, 6, 12);
const MINUTE_MS = 60_000;

let db: TestDatabase;
let record: Awaited<ReturnType<typeof storedSpool>>;
beforeAll(async () => {
  db = await testDatabase();
  record = await storedSpool(db.sql, "spool-sessions");
});
afterAll(() => db.drop());

const recordSessions = (...sessions: ReturnType<typeof stepOf>[]) => record([], { sessions });
const stored = async ({ id }: Session) => (await db.sql`select * from sessions where id = ${id}`)[0];
const turnsOf = async ({ id }: Session) => [
  ...(await db.sql`select * from turns where session_id = ${id} order by index`),
];
const run = async () => {
  const [row] = await db.sql`select stored, set_aside, dropped from spool_runs where spool = 'spool-sessions'`;
  return row;
};

describe("a session", () => {
  it("keeps every fact, is written anew as it stands, and counts as stored when it is over", async () => {
    const open = sessionAt(AT, { turns: 1, session: null, tags: { a: "é\u0000" } });
    const first = turnOf(open, 0, { latencyMs: 320, wastedUsd: "0.000123456789" });
    await recordSessions(stepOf(open, [first]));
    expect((await run())?.stored).toBe(0);
    const over: Session = {
      ...open,
      turns: 2,
      endedAt: AT + 61_500,
      endReason: "client_closed",
      closeCode: 1000,
      audioInMs: 5250.5,
      wastedMs: 1250,
      wastedUsd: "0.0008",
      rateLimits: { requests: { limit: 10, remaining: 9, resetSeconds: 0.5 } },
      serverBytes: 3_000_000_000,
      problems: ["audio_gap"],
    };
    await recordSessions(stepOf(over, [turnOf(over, 1, { bargeIn: "false", callId: open.id })], true));
    expect(await stored(open)).toMatchObject({
      kind: "realtime",
      spool: "spool-sessions",
      turns: 2,
      tags: { a: "é\ufffd" },
      ended_at: new Date(AT + 61_500),
      end_reason: "client_closed",
      close_code: 1000,
      audio_in_ms: 5250.5,
      audio_out_ms: null,
      wasted_ms: 1250,
      wasted_usd: "0.0008",
      rate_limits: { requests: { limit: 10, remaining: 9, resetSeconds: 0.5 } },
      server_bytes: 3_000_000_000,
      problems: ["audio_gap"],
      resumed_from: null,
    });
    expect(await turnsOf(open)).toMatchObject([
      { index: 0, latency_ms: 320, wasted_usd: "0.000123456789", barge_in: null },
      { index: 1, latency_ms: null, barge_in: "false", call_id: open.id },
    ]);
    expect((await run())?.stored).toBe(1);
  });

  it("has a row with every column of its table", async () => {
    const row = sessionRow({ ...stepOf(sessionAt(AT)), resumedFrom: null }, new Date(AT).toISOString());
    const columns = await db.sql<{ name: string }[]>`
      select attname as name from pg_attribute where attrelid = 'sessions'::regclass and attnum > 0 and not attisdropped`;
    expect(Object.keys(row).sort()).toEqual(columns.map(({ name }) => name).sort());
  });

  it("does not get a turn twice, nor another one in its place", async () => {
    const one = sessionAt(AT);
    await recordSessions(stepOf(one, [turnOf(one, 0, { status: "completed" })]));
    await recordSessions(stepOf(one, [turnOf(one, 0, { status: "cancelled" }), turnOf(one, 1)]));
    expect(await turnsOf(one)).toMatchObject([{ status: "completed" }, { index: 1 }]);
  });

  it("that comes twice in a batch is written as it stands in the end, with the turns of both", async () => {
    const one = sessionAt(AT);
    await recordSessions(
      stepOf({ ...one, turns: 1 }, [turnOf(one, 0)]),
      stepOf({ ...one, turns: 2 }, [turnOf(one, 1)]),
    );
    expect(await stored(one)).toMatchObject({ turns: 2 });
    expect(await turnsOf(one)).toHaveLength(2);
  });

  it("has calls that are counted as calls, and not as exchanges", async () => {
    const before = (await run())?.stored as number;
    const one = sessionAt(AT, { session: null });
    const answers = [await callAt(AT + 10, { parentId: one.id }), await callAt(AT + 20, { parentId: one.id })];
    await record(answers, { sessions: [stepOf({ ...one, endedAt: AT + 50 }, [], true)] });
    expect((await run())?.stored).toBe(before + 1);
    const rows = await db.sql`select id from calls where parent_id = ${one.id} order by id`;
    expect(rows.map(({ id }) => id)).toEqual(answers.map(({ id }) => id));
    const bad = await callAt(AT + 30, { parentId: one.id, outcome: "exploded" as "failed" });
    expect(await record([bad])).toEqual({ stored: 0, setAside: 1 });
    expect(await run()).toMatchObject({ stored: before + 1, set_aside: 0 });
    expect(await db.sql`select id from set_aside where id = ${bad.id}`).toHaveLength(1);
    expect(await differences(db.sql, AT, AT + 1)).toEqual([]);
  });
});

it("answers of a session, whose way nobody timed, are counted and in no sum of times", async () => {
  const { timings, ...rest } = await callAt(AT + 3_600_000, { parentId: sessionAt(AT).id, feature: "untimed" });
  const unknown = { sentMs: null, firstByteMs: null, responseEndMs: null, requestEndMs: null, connectMs: null };
  await record([{ ...rest, timings: { ...timings, ...unknown, durationMs: 900 } }]);
  const rows = await db.sql`
    select calls, calls_timed, own_us, upstream_us, (duration).bins as bins from rollup_latency where feature = 'untimed'`;
  expect([...rows]).toEqual([{ calls: 1, calls_timed: 0, own_us: 0, upstream_us: 0, bins: [] }]);
});

describe("a session that goes on with an earlier one", () => {
  const named = (ms: number, session: string, over: Partial<Session> = {}) => sessionAt(ms, { session, ...over });
  const resumes = async (one: Session) => (await stored(one))?.resumed_from;

  it("is of the same name, and began at most ten minutes after that one ended", async () => {
    const first = named(AT, "talk", { endedAt: AT + 5 * MINUTE_MS });
    const inTime = named(AT + 15 * MINUTE_MS, "talk", { endedAt: AT + 16 * MINUTE_MS });
    const late = named(AT + 26 * MINUTE_MS + 1, "talk");
    const other = named(AT + 6 * MINUTE_MS, "another talk");
    await recordSessions(stepOf(first, [], true));
    await recordSessions(stepOf(inTime, [], true), stepOf(other));
    await recordSessions(stepOf(late));
    expect(await Promise.all([first, inTime, late, other].map(resumes))).toEqual([null, first.id, null, null]);
  });

  it("is found among those of the same batch; the newest of several counts; of another project is none", async () => {
    const first = named(AT, "batched", { endedAt: AT + MINUTE_MS });
    const second = named(AT + 2 * MINUTE_MS, "batched", { endedAt: AT + 3 * MINUTE_MS });
    const third = named(AT + 4 * MINUTE_MS, "batched");
    const elsewhere = named(AT + 4 * MINUTE_MS, "batched", { projectId: "other" });
    await recordSessions(...[third, elsewhere, second, first].map((one) => stepOf(one)));
    expect(await Promise.all([first, second, third, elsewhere].map(resumes))).toEqual([
      null,
      first.id,
      second.id,
      null,
    ]);
  });

  it("counts from the last answer where nobody noticed the end, and runs beside none that still speaks", async () => {
    const lost = named(AT, "lost", { endedAt: AT + 30 * MINUTE_MS });
    await recordSessions(stepOf(lost, [turnOf(lost, 0, { doneMs: 4 * MINUTE_MS })], true));
    const again = named(AT + 5 * MINUTE_MS, "lost");
    await recordSessions(stepOf(again));
    expect(await resumes(again)).toBe(lost.id);
    const speaks = named(AT, "speaks");
    await recordSessions(stepOf(speaks, [turnOf(speaks, 0, { doneMs: 6 * MINUTE_MS })]));
    const beside = named(AT + 5 * MINUTE_MS, "speaks");
    await recordSessions(stepOf(beside));
    expect(await resumes(beside)).toBeNull();
  });

  it("stays what it was found to be", async () => {
    const first = named(AT, "stays", { endedAt: AT + MINUTE_MS });
    const second = named(AT + 2 * MINUTE_MS, "stays");
    await recordSessions(stepOf(first), stepOf(second));
    await recordSessions(stepOf({ ...second, session: null }, [], true));
    expect(await resumes(second)).toBe(first.id);
  });
});

describe("a session that the database refuses", () => {
  it("is kept as far as it can be, with a mark, and stops neither calls nor other sessions", async () => {
    const before = (await run())?.stored as number;
    const bad = sessionAt(AT, { session: null, closeCode: 2 ** 40, endedAt: AT + 9 });
    const good = sessionAt(AT, { session: null, endedAt: AT + 9 });
    const wrongTurn = sessionAt(AT, { session: null, turns: 1 });
    const call = await callAt(AT + 5);
    const done = await record([call], {
      sessions: [
        stepOf(bad, [turnOf(bad, 0)], true),
        stepOf(good, [turnOf(good, 0)], true),
        stepOf(wrongTurn, [turnOf(wrongTurn, 0, { heardMs: -1 })]),
      ],
    });
    expect(done).toEqual({ stored: 1, setAside: 0 });
    expect(await stored(bad)).toMatchObject({ close_code: null, problems: ["session_refused"] });
    expect(await stored(good)).toMatchObject({ problems: [] });
    expect(await turnsOf(good)).toHaveLength(1);
    expect(await stored(wrongTurn)).toMatchObject({ turns: 1, problems: ["session_refused"] });
    expect((await run())?.stored).toBe(before + 3);
  });

  it("altogether, as one from the future, is counted with its reason", async () => {
    const before = (await run())?.stored as number;
    const ahead = sessionAt(Date.now() + 400 * 86_400_000, { session: null });
    const odd = sessionAt(AT, { session: null, kind: "seance" as "other" });
    await recordSessions(stepOf(ahead, [], true), stepOf(odd, [], true), stepOf(sessionAt(AT), [], true));
    expect(await run()).toMatchObject({ stored: before + 1, dropped: { session_refused: 2 } });
    const partitions = await db.sql`select 1 from pg_inherits where inhrelid::regclass::text like 'sessions_p2027%'`;
    expect(partitions).toHaveLength(0);
  });
});

describe("audio that is kept", () => {
  const media = (text: string) => [
    { index: 0, direction: "output" as const, mediaType: "audio/wav", bytes: 3, sealed: Buffer.from(text) },
  ];
  const kept = async (id: string) => [
    ...(await db.sql`select media_type, bytes, sealed from media where call_id = ${id}`),
  ];
  const recordMedia = (call: Parameters<typeof record>[0][number], text: string) =>
    record([], { calls: [{ call, payload: null, words: null, media: media(text) }] });

  it("is stored once with its call, and replaced with it", async () => {
    const call = await callAt(AT);
    await recordMedia(call, "one");
    await recordMedia(call, "two");
    expect(await kept(call.id)).toEqual([{ media_type: "audio/wav", bytes: 3, sealed: Buffer.from("one") }]);
    await recordMedia({ ...call, decoderVersion: call.decoderVersion + 1 }, "three");
    expect(await kept(call.id)).toMatchObject([{ sealed: Buffer.from("three") }]);
  });
});

it("what is old goes with its partitions: audio with the content, sessions and turns with the facts; what comes later is only counted", async () => {
  const old = Date.UTC(2025, 0, 8);
  const other = await testDatabase();
  try {
    const recordOld = await storedSpool(other.sql, "spool-old");
    const session = sessionAt(old, { session: null });
    const call = await callAt(old, { parentId: session.id });
    const media = [
      { index: 0, direction: "input" as const, mediaType: "audio/wav", bytes: 1, sealed: Buffer.from("x") },
    ];
    await recordOld([], {
      calls: [{ call, payload: null, words: null, media }],
      sessions: [stepOf(session, [turnOf(session, 0)], true)],
    });
    const count = async (table: string) => (await other.sql.unsafe(`select 1 from ${table}`)).length;
    await retire(other.sql, { contentDays: 30, factsDays: null }, Date.UTC(2025, 5, 1));
    expect([await count("media"), await count("sessions"), await count("turns")]).toEqual([0, 1, 1]);
    // Which days are summed beside the ratings is another test's matter.
    await other.sql`insert into ratings_folded select 'calls', day from generate_series('2025-01-01'::date, '2025-02-01', '1 day') day`;
    await retire(other.sql, { contentDays: 30, factsDays: 60 }, Date.UTC(2025, 5, 1));
    expect([await count("calls"), await count("sessions"), await count("turns")]).toEqual([0, 0, 0]);
    await recordOld([], { sessions: [stepOf({ ...session, id: createUuid7(() => old)() }, [], true)] });
    const [row] = await other.sql`select stored, dropped from spool_runs`;
    expect(row).toEqual({ stored: 1, dropped: { expired: 1 } });
  } finally {
    await other.drop();
  }
});
