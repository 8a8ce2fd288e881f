import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type System, startSystem } from "#tests/support/system.ts";

// Feedback takes the way of a call: the proxy's spool, the recorder, the store.

let database: TestDatabase;
let system: System;
let openai: OpenAI;
beforeAll(async () => {
  database = await testDatabase();
  system = await startSystem({ database });
  openai = new OpenAI({ baseURL: `${system.proxyUrl}/v1`, apiKey: "sk-test-not-a-key", maxRetries: 0 });
});
afterAll(async () => {
  await system?.stop();
  await database?.drop();
});

async function call(session?: string): Promise<{ call: string; response: string }> {
  const { data, response } = await openai.chat.completions
    .create(
      { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] },
      { headers: session ? { "x-omnimeter-session": session } : {} },
    )
    .withResponse();
  return { call: String(response.headers.get("x-omnimeter-call-id")), response: data.id };
}

const post = (body: unknown, init: RequestInit = {}) =>
  fetch(`${system.proxyUrl}/omnimeter/v1/feedback`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });

const current = (target: string) => database.sql`
  select rating, score, comment, labels, call_id from feedback_current where target_id = ${target}`;

/** Waits until as many words are stored. */
async function stored(count: number, what = "true") {
  await expect
    .poll(async () => (await database.sql.unsafe(`select count(*)::int as n from feedback where ${what}`))[0]?.n, {
      timeout: 20_000,
    })
    .toBe(count);
}

test("a thumb for a call, a response and a session finds its call; the last word of a rater counts and history stays", async () => {
  const { call: id, response } = await call("s-1");
  for (const body of [
    { target: { call: id }, rating: "up", rater: "anna" },
    { target: { call: id }, rating: "down", comment: "wrong city", labels: ["wrong"], rater: "anna" },
    { target: { call: id }, rating: "up", rater: "ben" },
    { target: { response }, score: 0.5, rater: "anna" },
    { target: { session: "s-1" }, rating: "up" },
  ])
    expect((await post(body)).status).toBe(202);
  await stored(5, "matched_at is not null");
  expect([...(await current(id))].sort((a, b) => a.rating.localeCompare(b.rating))).toEqual([
    { rating: "down", score: null, comment: "wrong city", labels: ["wrong"], call_id: id },
    { rating: "up", score: null, comment: null, labels: [], call_id: id },
  ]);
  expect([...(await current(response))]).toMatchObject([{ score: 0.5, call_id: id }]);
});

test("feedback that comes before its call waits, and is matched when the call is stored", async () => {
  await post({ target: { response: "chatcmpl-not-yet" }, rating: "down" });
  await stored(1, "target_id = 'chatcmpl-not-yet' and matched_at is null");
  const before = Number((await database.sql`select count(*) as n from feedback where matched_at is null`)[0]?.n);
  expect(before).toBe(1);
  // While a call is in flight its id is known to the client already: the head carries it.
  const stream = await openai.chat.completions
    .create({ model: "gpt-4o", messages: [{ role: "user", content: "hello" }], stream: true })
    .withResponse();
  const id = String(stream.response.headers.get("x-omnimeter-call-id"));
  expect((await post({ target: { call: id }, rating: "up" })).status).toBe(202);
  for await (const _ of stream.data);
  await stored(1, `target_id = '${id}' and call_id = '${id}'`);
});

test.each([
  ["no JSON", "{", 400, "feedback_bad_json"],
  ["no object", "[]", 400, "feedback_bad_body"],
  ["no target", { rating: "up" }, 400, "feedback_bad_target"],
  ["two targets", { target: { call: "x", session: "y" }, rating: "up" }, 400, "feedback_bad_target"],
  ["a call id that is none", { target: { call: "abc" }, rating: "up" }, 400, "feedback_bad_target"],
  ["an unknown rating", { target: { session: "s" }, rating: "meh" }, 400, "feedback_bad_rating"],
  ["a score that is text", { target: { session: "s" }, score: "5" }, 400, "feedback_bad_score"],
  ["labels that are no list", { target: { session: "s" }, labels: "a" }, 400, "feedback_bad_labels"],
  ["nothing said", { target: { session: "s" } }, 400, "feedback_bad_empty"],
  ["too much", { target: { session: "s" }, comment: "x".repeat(70_000) }, 413, "feedback_too_large"],
] as const)("%s is refused with a code and a sentence", async (_, body, status, code) => {
  const answer = await post(body);
  expect(answer.status).toBe(status);
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe(code);
  expect(error.message).toMatch(/\w.*\.$/);
});

test("another method is refused", async () => {
  const answer = await fetch(`${system.proxyUrl}/omnimeter/v1/feedback`);
  expect(answer.status).toBe(405);
});

test("a thousand at once lose none, though the recorder and the worker are killed", async () => {
  const { call: id } = await call();
  const before = Number((await database.sql`select count(*)::int as n from feedback`)[0]?.n);
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) =>
      post({ target: { call: id }, rating: i % 3 ? "up" : "down", rater: `r${i}` }),
    ),
  );
  expect(answers.filter((one) => one.status === 202)).toHaveLength(1000);
  // Accepted means kept: what has its 202 survives the death of whoever said so.
  await system.kill("worker");
  await system.kill("recorder");
  await system.start("recorder");
  await stored(before + 1000);
  await stored(1000, `call_id = '${id}'`);
  const [rated] = await database.sql`
    select count(*) filter (where rating = 'up')::int as up, count(*)::int as n from feedback_current where call_id = ${id}`;
  expect(rated).toEqual({ up: 666, n: 1000 });
});
