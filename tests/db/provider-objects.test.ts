import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkMonth, closeMonth } from "#db/close-month.ts";
import { differences } from "#db/referee.ts";
import type { RecordedCall } from "#db/stored-calls.ts";
import type { Call, Usage } from "#lib/call.ts";
import { noUsage } from "#lib/openai/no-facts.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { callAt, LINES, line, MODEL, storedSpool, usageOf } from "#tests/support/store-calls.ts";

const DAY_MS = 86_400_000;
const AT = Date.UTC(2026, 4, 6, 12);

let db: TestDatabase;
let record: Awaited<ReturnType<typeof storedSpool>>;
let elsewhere: typeof record;
beforeAll(async () => {
  db = await testDatabase();
  record = await storedSpool(db.sql, "spool-here");
  elsewhere = await storedSpool(db.sql, "spool-elsewhere");
});
afterAll(() => db.drop());

const stored = async ({ id }: Pick<Call, "id">) => {
  const [row] = await db.sql`select * from calls where id = ${id}`;
  return row;
};
const linesOf = async ({ id }: Pick<Call, "id">) =>
  (
    await db.sql`
      select adjustment, direction, quantity::float8, trim_scale(cost_usd)::text as cost, booked_on::text as "on"
      from usage_lines where call_id = ${id} order by direction, adjustment`
  ).map(({ adjustment, direction, quantity, cost, on }) => [adjustment, direction, quantity, cost, on]);
const agrees = async (ms: number) => expect(await differences(db.sql, ms, ms + 1)).toEqual([]);
const newId = (ms: number) => createUuid7(() => ms)();
const NONE: Usage = noUsage();
/** 1,000 + 100 tokens, 0.0025 + 0.001 USD. */
const PRICED = await callAt(AT);

/** The submission of a batch, which costs nothing, and one of its answers. */
async function batchOf(name: string, over: Partial<Call> = {}) {
  const submitted = await callAt(
    AT,
    { endpoint: "batches", responseId: null, objectIds: [name], usage: NONE, model: null, ...over },
    [],
  );
  const answer = (ms: number, answerOver: Partial<Call> = {}) =>
    callAt(ms, { parentId: newId(ms), method: "GET", inherits: name, ...answerOver });
  return { submitted, answer };
}

describe("calls that inherit", () => {
  const WHO = {
    feature: "nightly",
    customer: "acme",
    endUser: "u1",
    session: "s1",
    template: "summary",
    templateVersion: "3",
    release: "r1",
    environment: "staging",
    tags: { team: "a", kind: "x" },
  };

  it("take from whoever submitted what they do not say themselves, stored before or in the same batch", async () => {
    const operationId = newId(AT);
    const { submitted, answer } = await batchOf("batch_1", WHO);
    const named = { ...submitted, operationId };
    const beside = await answer(AT + 1);
    await record([named, beside]);
    const later = await answer(AT + 2, { feature: "own", tags: { kind: "y" } });
    await elsewhere([later]);
    const expected = {
      customer: "acme",
      end_user: "u1",
      session: "s1",
      template: "summary",
      template_version: "3",
      release: "r1",
      environment: "staging",
      operation_id: operationId,
      problems: [],
    };
    expect(await stored(beside)).toMatchObject({
      ...expected,
      feature: "nightly",
      tags: { team: "a", kind: "x" },
    });
    expect(await stored(later)).toMatchObject({ ...expected, feature: "own", tags: { team: "a", kind: "y" } });
    await agrees(AT);
  });

  it("keep a template of their own without the other's version, and an operation that nobody named is not taken", async () => {
    const { submitted, answer } = await batchOf("batch_2", WHO);
    const one = await answer(AT + 1, { template: "other" });
    await record([submitted, one]);
    expect(await stored(one)).toMatchObject({ template: "other", template_version: null, operation_id: one.id });
  });

  it("find the submitter through what a look at the batch told: file → batch → submission", async () => {
    const { submitted, answer } = await batchOf("batch_3", WHO);
    await record([submitted]);
    const whole = await answer(AT + 1, { objectIds: ["file-3"] });
    const ofFile = await answer(AT + 2, { inherits: "file-3" });
    await record([ofFile, whole]);
    expect(await stored(ofFile)).toMatchObject({ feature: "nightly", problems: [] });
    const again = await answer(AT + 3, { inherits: "file-3" });
    await record([again]);
    expect(await stored(again)).toMatchObject({ feature: "nightly", problems: [] });
  });

  it("say that the submitter is unknown: nobody, themselves, or each other", async () => {
    const { answer } = await batchOf("batch_4");
    const nobody = await answer(AT + 1, { inherits: "batch_nobody" });
    const itself = await answer(AT + 1, { inherits: "file-itself", objectIds: ["file-itself"] });
    const [a, b] = [
      await answer(AT + 1, { inherits: "file-b", objectIds: ["file-a"] }),
      await answer(AT + 1, { inherits: "file-a", objectIds: ["file-b"] }),
    ];
    await record([nobody, itself, a, b]);
    for (const one of [nobody, itself, a, b]) expect((await stored(one))?.problems).toContain("submitter_unknown");
  });
});

it("an answer belongs to the call that generated it, not to whoever asks for it again, in whatever order they come", async () => {
  const owner = async (objectId: string) =>
    (await db.sql`select call_id from provider_objects where object_id = ${objectId}`).map(({ call_id }) => call_id);
  const generated = await callAt(AT, { responseId: "resp_owned", objectIds: ["rtc_owned"] });
  const again = await callAt(AT + 1, { responseId: "resp_owned", objectIds: ["rtc_owned"], reread: true });
  const looked = await callAt(AT + 2, { responseId: "resp_looked", objectIds: ["file-looked"], method: "GET" });
  await record([again, looked]);
  expect(await owner("resp_owned")).toEqual([]);
  expect(await owner("file-looked")).toEqual([]);
  await record([generated]);
  const repeated = await callAt(AT + 3, { responseId: "resp_owned" });
  await record([repeated]);
  expect([await owner("resp_owned"), await owner("rtc_owned")]).toEqual([[generated.id], [generated.id]]);
});

describe("usage that several exchanges tell of", () => {
  const child = (parentId: string, countsFor: string, ms = AT) => callAt(ms, { parentId, countsFor, method: "GET" });
  const counted = async (calls: readonly Call[]) =>
    Promise.all(calls.map(async (call) => [(await stored(call))?.usage_source, (await linesOf(call)).length]));

  it("is counted by the first, within a batch and after it; the others keep their facts with a mark", async () => {
    const [batch, file] = [newId(AT), newId(AT)];
    const whole = await child(batch, "file-once");
    const lines = [await child(file, "file-once"), await child(file, "file-once")];
    await record([whole, ...lines]);
    const later = await child(newId(AT), "file-once");
    await elsewhere([later]);
    expect(await counted([whole, ...lines, later])).toEqual([
      ["reported", 2],
      ["none", 0],
      ["none", 0],
      ["none", 0],
    ]);
    expect(await stored(later)).toMatchObject({
      model: MODEL,
      input_tokens: null,
      problems: ["usage_of_another_call"],
    });
    await agrees(AT);
  });

  it("is counted for all lines of the file where that came first, and a call without usage claims nothing", async () => {
    const file = newId(AT);
    const silent = { ...(await child(newId(AT), "file-lines")), usage: NONE, lines: [] };
    const lines = [await child(file, "file-lines"), await child(file, "file-lines")];
    await record([silent, ...lines]);
    expect(await counted([silent, ...lines])).toEqual([
      ["none", 0],
      ["reported", 2],
      ["reported", 2],
    ]);
    expect((await stored(silent))?.problems).toEqual([]);
  });

  it("is never counted by two recorders at once", async () => {
    for (let round = 0; round < 5; round++) {
      const mine = await child(newId(AT), `file-race-${round}`);
      const theirs = await child(newId(AT), `file-race-${round}`);
      await Promise.all([record([mine]), elsewhere([theirs])]);
      expect((await counted([mine, theirs])).map(([source]) => source).sort()).toEqual(["none", "reported"]);
    }
    await agrees(AT);
  });

  it("stays with the first exchange when the same call is told of again, in one batch or read by a newer decoder", async () => {
    const [first, second] = [newId(AT), newId(AT + 1)];
    const told = await child(first, "file-told");
    const again = { ...told, parentId: second };
    expect(await record([told, again])).toMatchObject({ setAside: 0 });
    expect(await counted([told])).toEqual([["reported", 2]]);
    await elsewhere([{ ...again, decoderVersion: told.decoderVersion + 1 }]);
    expect(await stored(told)).toMatchObject({ parent_id: first, decoder_version: told.decoderVersion + 1 });
    expect(await counted([told])).toEqual([["reported", 2]]);
    const run = await db.sql`select stored from spool_runs where spool = 'spool-elsewhere'`;
    // What came out of another exchange is in no equation: only `later` of the first test here was stored otherwise.
    expect([...run]).toEqual([{ stored: 0 }]);
    await agrees(AT);
  });
});

describe("what a later answer states", () => {
  const said = (over: Partial<Call> = {}) => {
    const usage = usageOf({ ...NONE, source: "reported" }, LINES);
    const lines = PRICED.lines;
    return { model: MODEL, serviceTier: "default", usage, lines, finishReasons: ["completed"], problems: [], ...over };
  };
  const background = (responseId: string, ms = AT) =>
    callAt(
      ms,
      {
        responseId,
        usage: NONE,
        model: null,
        serviceTier: null,
        finishReasons: [],
        problems: ["background_unfinished", "odd"],
      },
      [],
    );
  const reread = async (objectId: string, facts = said(), ms = AT + 1000): Promise<RecordedCall> => ({
    call: await callAt(
      ms,
      { method: "GET", responseId: objectId, reread: true, usage: NONE, problems: ["usage_of_another_call"] },
      [],
    ),
    payload: null,
    words: null,
    restates: { projectId: "default", upstream: "default", objectId, facts },
  });
  const recordWith = (to: typeof record, calls: Call[], rereads: RecordedCall[]) =>
    to([], { calls: [...calls.map((call) => ({ call, payload: null, words: null })), ...rereads] });

  const RESTATED = {
    usage_source: "reported",
    input_tokens: 1000,
    output_tokens: 100,
    model: MODEL,
    service_tier: "default",
    finish_reasons: ["completed"],
    problems: ["odd", "usage_restated"],
  };

  it("goes to the call that generated it, in the same batch or long after, once, and is counted there alone", async () => {
    const beside = await background("resp_beside");
    await recordWith(record, [beside], [await reread("resp_beside")]);
    expect(await stored(beside)).toMatchObject(RESTATED);
    const before = await background("resp_before");
    await record([before]);
    const [one, two] = [await reread("resp_before"), await reread("resp_before")];
    await recordWith(elsewhere, [], [one, two]);
    expect(await stored(before)).toMatchObject({ ...RESTATED, decoder_version: before.decoderVersion });
    expect(await linesOf(before)).toEqual([
      [0, "input", 1000, "0.0025", "2026-05-06"],
      [0, "output", 100, "0.001", "2026-05-06"],
    ]);
    expect(await linesOf(one.call)).toEqual([]);
    // Its own exchange still says nothing of it, however well it is read.
    await record([{ ...before, decoderVersion: before.decoderVersion + 1 }]);
    expect(await stored(before)).toMatchObject({ ...RESTATED, decoder_version: before.decoderVersion });
    // Another answer to the same question changes nothing any more.
    const more = said({ usage: usageOf({ ...NONE, source: "reported" }, [line({ quantity: 5 })]), lines: [] });
    await recordWith(elsewhere, [], [await reread("resp_before", more)]);
    expect(await stored(before)).toMatchObject(RESTATED);
    await agrees(AT);
  });

  it("takes the place of an estimate, and of nothing that was reported", async () => {
    const guess = [line({ source: "estimated", quantity: 7 })];
    const guessed = await callAt(
      AT,
      { responseId: "resp_guessed", usage: usageOf({ ...NONE, source: "estimated" }, guess) },
      guess,
    );
    const known = await callAt(AT, { responseId: "resp_known" }, [line({ quantity: 3 })]);
    await record([guessed, known]);
    await recordWith(record, [], [await reread("resp_guessed"), await reread("resp_known")]);
    expect(await stored(guessed)).toMatchObject({ usage_source: "reported", input_tokens: 1000 });
    expect((await linesOf(guessed)).map(([, , quantity]) => quantity)).toEqual([1000, 100]);
    expect(await stored(known)).toMatchObject({ input_tokens: 3, problems: [] });
    await agrees(AT);
  });

  it("of a call that nobody recorded is left uncounted", async () => {
    const one = await reread("resp_nobody");
    await recordWith(record, [], [one]);
    expect(await stored(one.call)).toMatchObject({ usage_source: "none", problems: ["usage_of_another_call"] });
  });

  it("is booked in the next open month where the call's own is closed, which stays as it was closed", async () => {
    const march = Date.UTC(2026, 2, 10);
    const guess = [line({ source: "estimated", quantity: 7 })];
    const old = await callAt(
      march,
      { responseId: "resp_march", usage: usageOf({ ...NONE, source: "estimated" }, guess) },
      guess,
    );
    await record([old]);
    await closeMonth(db.sql, { project: "default", month: "2026-03-01", by: null, anyway: true });
    await recordWith(elsewhere, [], [await reread("resp_march")]);
    expect(await linesOf(old)).toEqual([
      [0, "input", 7, "0.0000175", "2026-03-10"],
      [1, "input", -7, "-0.0000175", "2026-04-01"],
      [2, "input", 1000, "0.0025", "2026-04-01"],
      [1, "output", 100, "0.001", "2026-04-01"],
    ]);
    await checkMonth(db.sql, "default", "2026-03-01");
    await agrees(march);
    await agrees(Date.UTC(2026, 3, 1));
    await db.sql`truncate closed_periods`;
  });

  it("is given once by two recorders at once", async () => {
    const one = await background("resp_race", AT + DAY_MS);
    await record([one]);
    await Promise.all([
      recordWith(record, [], [await reread("resp_race")]),
      recordWith(elsewhere, [], [await reread("resp_race")]),
    ]);
    expect((await stored(one))?.problems).toEqual(["odd", "usage_restated"]);
    expect(await linesOf(one)).toHaveLength(2);
    await agrees(AT + DAY_MS);
  });

  it("and the database refuses costs nobody else anything: the re-read and the rest are stored", async () => {
    const one = await background("resp_bad", AT + 2 * DAY_MS);
    await record([one]);
    const impossible = said({ usage: { ...said().usage, cachedTokens: 5000 } });
    const asked = await reread("resp_bad", impossible);
    const other = await callAt(AT + 2 * DAY_MS);
    await recordWith(record, [other], [asked]);
    expect(await stored(one)).toMatchObject({ usage_source: "none" });
    expect([await stored(asked.call), await stored(other)]).not.toContain(undefined);
    await agrees(AT + 2 * DAY_MS);
  });
});

describe("lines that do not sum to the usage", () => {
  it("are refused, whichever way they are wrong; the call is set aside", async () => {
    const ms = AT + 3 * DAY_MS;
    const right = await callAt(ms);
    const tooMuch = { ...(await callAt(ms)), usage: { ...right.usage, inputTokens: 999 } };
    const ofNothing = { ...(await callAt(ms)), usage: { ...right.usage, outputTokens: null } };
    const halfOfIt = { ...(await callAt(ms)) };
    halfOfIt.lines = halfOfIt.lines.filter(({ direction }) => direction === "input");
    const good = await callAt(ms, {}, [line({ quantity: 600 }), line({ cache: "read", quantity: 400 })]);
    const fee = line({ direction: "tool", modality: "none", unit: "web_search_call", quantity: 2 });
    const withFee = await callAt(ms, {}, [...LINES, fee]);
    const seconds = await callAt(ms, {}, [line({ unit: "second", modality: "audio", quantity: 1.5 })]);
    expect(await record([right, tooMuch, ofNothing, halfOfIt, good, withFee, seconds])).toEqual({
      stored: 4,
      setAside: 3,
    });
    const wrong = [tooMuch, ofNothing, halfOfIt].map(({ id }) => id);
    const aside = await db.sql`select id, reason from set_aside where id = any(${wrong})`;
    expect(aside.map(({ reason }) => /do not sum to its usage/.test(String(reason)))).toEqual([true, true, true]);
    await expect(
      db.sql`
        insert into usage_lines (call_id, adjustment, direction, modality, cache, unit, quantity, source, booked_on)
        values (${right.id}, 0, 'input', 'image', 'none', 'token', 5, 'reported', '2026-05-09')`,
    ).rejects.toMatchObject({ code: "23514", constraint_name: "usage_lines_fit" });
  });

  it("may be an estimate's, which states no totals to hold them against", async () => {
    const guess = [line({ source: "estimated", quantity: 7 })];
    const usage = { ...NONE, source: "estimated" as const };
    expect(await record([await callAt(AT, { usage }, guess)])).toEqual({ stored: 1, setAside: 0 });
  });
});
