import { expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import type { Facts } from "#lib/openai/facts.ts";
import { seeded } from "#tests/support/split.ts";
import { events, exchange, fromRecording, recordings } from "./from-recording.ts";

const chat = events(
  { id: "c", model: "m", choices: [{ index: 0, delta: { role: "assistant", content: "" } }] },
  { id: "c", model: "m", choices: [{ index: 0, delta: { content: "Hé 🎉" } }] },
  {
    id: "c",
    model: "m",
    choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: "t", function: { name: "f", arguments: '{"a"' } }] } }],
  },
  { id: "c", model: "m", choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] },
  { id: "c", model: "m", choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
  "[DONE]",
);
const response = { id: "resp_1", status: "in_progress", model: "m", output: [] };
const responses = events(
  { type: "response.created", response },
  { type: "response.output_text.delta", output_index: 0, delta: "Hé 🎉" },
  {
    type: "response.completed",
    response: { ...response, status: "completed", usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 } },
  },
);

const streams: [string, string][] = [
  ["/v1/chat/completions", chat],
  ["/v1/responses", responses],
];

test.each(streams)("%s: a stream cut at any byte is truncated, and read up to there", async (path, text) => {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length - 2; at++) {
    const facts = await decode(
      exchange({ path, response: bytes.subarray(0, at), headers: ["content-type", "text/event-stream"] }),
    );
    expect(facts.problems).toEqual(["stream_without_terminal_event"]);
    expect(facts.outcome).toBe("truncated");
    expect(facts.usage.source).not.toBe("none");
  }
  expect((await decode(exchange({ path, response: bytes }))).outcome).toBeNull();
});

test("an answer cut at any byte does no harm and keeps what was whole", async () => {
  const bytes = Buffer.from(
    JSON.stringify({ id: "c", model: "m", choices: [{ index: 0, message: { content: "Hé" } }], usage: {} }),
  );
  for (let at = 1; at < bytes.length; at++) {
    const facts = await decode(exchange({ response: bytes.subarray(0, at), ending: "upstream_reset" }));
    expect(facts.problems).toEqual(["response_cut"]);
    if (at > 20) expect(facts.responseId).toBe("c");
  }
});

test("bytes that are no JSON, no events or the wrong kind of value never stop the recorder", async () => {
  const next = seeded(7);
  const odd = [
    null,
    0,
    -1,
    1e300,
    "",
    "x",
    true,
    [],
    {},
    [null],
    [[]],
    { id: 3 },
    { index: "0" },
    { url: 5 },
    { type: [] },
  ];
  const pick = () => odd[Math.floor(next() * odd.length)];
  const paths = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses/x",
    "/nothing",
  ];
  const keys =
    "id model choices usage error output response status message input messages tools prompt delta item type".split(
      " ",
    );
  const thing = (depth: number): unknown => {
    if (depth === 0 || next() < 0.3) return pick();
    if (next() < 0.4) return [thing(depth - 1), thing(depth - 1)];
    return Object.fromEntries(keys.filter(() => next() < 0.3).map((key) => [key, thing(depth - 1)]));
  };
  const garbage = () => Buffer.from(Array.from({ length: Math.floor(next() * 300) }, () => Math.floor(next() * 256)));
  const types = ["application/json", "text/event-stream", "text/plain", ""];
  const encodings = ["gzip", "br", "deflate", "zstd"];
  for (let round = 0; round < 3000; round++) {
    const body =
      next() < 0.2
        ? garbage()
        : next() < 0.5
          ? JSON.stringify(thing(4))
          : events(thing(4), { type: "response.completed", response: thing(3) }, thing(4));
    const headers = ["content-type", types[Math.floor(next() * types.length)] as string];
    if (next() < 0.1) headers.push("content-encoding", encodings[Math.floor(next() * encodings.length)] as string);
    const path = paths[Math.floor(next() * paths.length)] as string;
    const facts = await decode(
      exchange({ path, headers, request: thing(4) ?? "", response: body, status: next() < 0.2 ? 500 : 200 }),
    );
    expect(facts.problems).not.toContain("reader_failed");
    expectWellFormed(facts);
  }
});

test("a fault in a reader costs the facts of that exchange and nothing else", async () => {
  const faulty = exchange({ response: chat });
  Object.defineProperty(faulty, "response", { get: () => JSON.parse("{") });
  expect(await decode(faulty)).toMatchObject({ problems: ["reader_failed"], outcome: null, usage: { source: "none" } });
});

const mutated = recordings("chat_completions", "responses").filter(({ response: { body } }) => body.length < 20_000);

test.skipIf(mutated.length === 0)(
  "recorded traffic with bytes changed, lost or doubled never stops the recorder",
  async () => {
    const next = seeded(11);
    for (const recording of mutated) {
      for (let round = 0; round < 10; round++) {
        const bytes = [...Buffer.from(recording.response.body)];
        for (let change = 0; change < 4; change++) {
          const at = Math.floor(next() * bytes.length);
          bytes.splice(
            at,
            Math.floor(next() * 3),
            ...bytes.slice(at, at + Math.floor(next() * 3)),
            Math.floor(next() * 256),
          );
        }
        const body = Buffer.from(bytes).toString("latin1");
        const facts = await decode(fromRecording({ ...recording, response: { ...recording.response, body } }));
        expect(facts.problems).not.toContain("reader_failed");
        expectWellFormed(facts);
      }
    }
  },
);

const TERMINAL = /\[DONE\]|response\.(completed|incomplete|failed)|error/;
const streamed = recordings("chat_completions", "completions", "responses").filter(({ expected }) => expected.stream);

test.skipIf(streamed.length === 0)("a recorded stream that stops anywhere, in any way, has an outcome", async () => {
  const next = seeded(13);
  for (const recording of streamed) {
    const whole = fromRecording(recording);
    const bytes = Buffer.from(recording.response.body, recording.response.body_encoding);
    for (let cut = 0; cut < 8; cut++) {
      // Without the last event's blank line at the least.
      const kept = bytes.subarray(0, Math.floor(next() * (bytes.length - 2)));
      const response = { ...whole.response, chunks: [{ atMs: 10, offset: 0, bytes: kept }], bytes: kept.length };
      const facts = await decode({ ...whole, response } as typeof whole);
      // One in the background goes on without its listener.
      const goesOn = facts.problems.includes("background_unfinished");
      if (facts.outcome === null && !goesOn) expect(kept.toString()).toMatch(TERMINAL);
      else expect(String(facts.outcome)).toMatch(goesOn ? /^null$/ : /^(truncated|failed)$/);
      expectWellFormed(facts);
    }
  }
});

function expectWellFormed(facts: Facts): void {
  const texts = [
    facts.model,
    facts.responseId,
    facts.requestModel,
    facts.serviceTier,
    facts.conversationId,
    facts.unit,
  ];
  expect(texts.every((text) => text === null || typeof text === "string")).toBe(true);
  expect(facts.finishReasons.every((reason) => typeof reason === "string")).toBe(true);
  expect(facts.toolCalls.every(({ name, argumentBytes }) => typeof name === "string" && argumentBytes >= 0)).toBe(true);
  const tokens = facts.lines.filter(({ direction }) => direction !== "tool");
  const sum = tokens.reduce((total, line) => total + line.quantity, 0);
  if (tokens.length > 0) expect(sum).toBe((facts.usage.inputTokens ?? 0) + (facts.usage.outputTokens ?? 0));
}
