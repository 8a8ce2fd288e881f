import { expect, test } from "vitest";
import { decodeSession } from "#lib/openai/sessions/sessions.ts";
import type { Said } from "./session-messages.ts";
import { decodeInPieces, messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

const usage = { input_tokens: 10, output_tokens: 4, total_tokens: 14 };
const create: Said = ["client", 0, { type: "response.create", model: "gpt-4o", input: "One?" }];
const created: Said = ["server", 10, { type: "response.created", response: { id: "resp_1", model: "gpt-4o" } }];
const completed: Said = [
  "server",
  90,
  { type: "response.completed", response: { id: "resp_1", model: "gpt-4o", status: "completed", usage, output: [] } },
];
const error = { type: "error", error: { code: "bad", message: "No." } };

test("an error that is about a second request leaves the first to its own end", () => {
  const { calls } = decodeTwice([
    create,
    created,
    ["client", 20, { type: "response.create", model: "gpt-4o", input: "Two?" }],
    ["server", 30, error],
    completed,
  ]);
  expect(calls).toMatchObject([
    {
      key: [SESSION_ID, "request", "1"],
      outcome: "failed",
      facts: { error: { code: "bad" }, usage: { source: "none" } },
    },
    {
      key: [SESSION_ID, "resp_1"],
      outcome: "completed",
      facts: { error: null, usage: { source: "reported", inputTokens: 10 } },
    },
  ]);
});

test("an error that an answer outlives costs it nothing", () => {
  const { calls } = decodeTwice([
    create,
    created,
    ["client", 20, { type: "response.steer" }],
    ["server", 30, error],
    completed,
  ]);
  expect(calls).toMatchObject([
    {
      outcome: "completed",
      timings: { durationMs: 90 },
      facts: { error: null, usage: { source: "reported", outputTokens: 4 } },
    },
  ]);
});

test("an end that is too long to keep ends its answer, whose usage is an estimate and says why", () => {
  const said = messagesOf([
    create,
    created,
    ["server", 20, { type: "response.output_text.delta", item_id: "i", delta: "Hi" }],
    completed,
  ]);
  const end = said[3] as (typeof said)[number];
  said[3] = { ...end, bytes: 300_000, text: (end.text as string).slice(0, 80) };
  const { calls } = decodeSession(socketStart("/v1/responses"), said, socketEnd(), SESSION_ID);
  expect(calls).toMatchObject([
    {
      key: [SESSION_ID, "resp_1"],
      outcome: "completed",
      timings: { durationMs: 90 },
      facts: { usage: { source: "estimated" }, problems: ["response_cut"] },
    },
  ]);
});

test("an end that is too long to keep still states its usage", () => {
  const output = [{ id: "i", type: "message", content: [{ type: "output_text", text: "x".repeat(500_000) }] }];
  const response = { id: "resp_1", model: "gpt-4o", status: "completed", output, usage, metadata: { "}": '"' } };
  const text = JSON.stringify({ type: "response.completed", sequence_number: 4, response });
  const kept = `${text.slice(0, 200_000)}\0${text.slice(-16_000)}`;
  const said = messagesOf([create, created, ["server", 90, kept]]).map((one) =>
    one.text === kept ? { ...one, bytes: text.length } : one,
  );
  const { calls } = decodeSession(socketStart("/v1/responses"), said, socketEnd(), SESSION_ID);
  expect(calls).toMatchObject([
    {
      key: [SESSION_ID, "resp_1"],
      outcome: "completed",
      facts: { model: "gpt-4o", usage: { source: "reported", inputTokens: 10, outputTokens: 4 }, problems: [] },
    },
  ]);
});

test("an error that nothing follows is its end", () => {
  const next: Said[] = [["client", 500, { type: "response.create", model: "gpt-4o", input: "Two?" }]];
  for (const after of [[], next]) {
    const { calls } = decodeTwice([create, created, ["server", 30, error], ...after]);
    expect(calls[0]).toMatchObject({
      key: [SESSION_ID, "resp_1"],
      outcome: "failed",
      timings: { durationMs: 30 },
      facts: { error: { code: "bad" } },
    });
  }
});

/** At once, and by a recorder that stops after every message. */
function decodeTwice(said: readonly Said[]) {
  const start = socketStart("/v1/responses");
  const atOnce = decodeSession(start, messagesOf(said), socketEnd(), SESSION_ID);
  expect(decodeInPieces(start, messagesOf(said), socketEnd(), SESSION_ID)).toEqual(atOnce);
  return atOnce;
}
