import { expect, test } from "vitest";
import { chatExchange } from "#tests/support/exchange.ts";
import type { ReceivedSpan } from "#tests/support/otlp-receiver.ts";
import { seeded } from "#tests/support/split.ts";
import { exported, observe } from "./export.ts";

const NAMES = [
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.system_instructions",
  "omnimeter.content.cut",
];
// Split, so that no scanner of sources takes it for one.
const KEY = ["sk", "proj", "Zq3vT8mWx2Lk9RbN4cYp7HsJ6dGf1AuE"].join("-");

const spoken = {
  request_: {
    model: "gpt-4o",
    messages: [
      { role: "system", content: "You know rivers." },
      { role: "user", content: `My key is ${KEY}. How long is the Nile?` },
      {
        role: "assistant",
        tool_calls: [{ id: "call_1", type: "function", function: { name: "river", arguments: '{"name":"Nile"}' } }],
      },
      { role: "tool", tool_call_id: "call_1", content: "6,650 km" },
      { role: "user", content: [{ type: "image_url", image_url: { url: "https://x.example/nile.png" } }] },
    ],
  },
};

const contentOf = ({ attributes }: ReceivedSpan) =>
  Object.fromEntries(
    NAMES.filter((name) => name in attributes).map((name) => [
      name,
      name.startsWith("omnimeter") ? attributes[name] : JSON.parse(attributes[name] as string),
    ]),
  );

test("what was said does not leave, unless it is asked for", async () => {
  const { spans } = await exported([await observe(chatExchange(spoken))]);
  expect(spans.map(contentOf)).toEqual([{}]);
  expect(JSON.stringify(spans[0]?.attributes)).not.toMatch(/Nile|rivers|6,650/);
});

test("asked for, it leaves in the conventions' format, redacted", async () => {
  const { spans } = await exported([await observe(chatExchange(spoken), "content")]);
  expect(spans.map(contentOf)).toEqual([
    {
      "gen_ai.input.messages": [
        { role: "system", parts: [{ type: "text", content: "You know rivers." }] },
        {
          role: "user",
          parts: [{ type: "text", content: expect.stringMatching(/^My key is \[[\w:]+\]\. How long is the Nile\?$/) }],
        },
        {
          role: "assistant",
          parts: [{ type: "tool_call", id: "call_1", name: "river", arguments: { name: "Nile" } }],
        },
        { role: "tool", parts: [{ type: "tool_call_response", id: "call_1", response: "6,650 km" }] },
        {
          role: "user",
          parts: [{ type: "uri", modality: "image", mime_type: null, uri: "https://x.example/nile.png" }],
        },
      ],
      "gen_ai.output.messages": [
        { role: "assistant", parts: [{ type: "text", content: "About 6,650 km." }], finish_reason: "stop" },
      ],
    },
  ]);
  expect(JSON.stringify(spans[0]?.attributes)).not.toContain(KEY.slice(8, 20));
});

test("instructions that Responses state beside the history stand apart; the items of its answer are one message", async () => {
  const exchange = chatExchange({
    request_: { model: "gpt-4o", instructions: "You know rivers.", input: "How long is the Nile?" },
    answer: {
      id: "resp_1",
      object: "response",
      status: "completed",
      model: "gpt-4o-2024-08-06",
      output: [
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "I look it up." }] },
        { type: "function_call", call_id: "call_1", name: "river", arguments: "not json" },
      ],
    },
  });
  const start = { ...exchange.start, target: "/v1/responses", upstreamTarget: "/v1/responses" };
  const { spans } = await exported([await observe({ ...exchange, start }, "content")]);
  expect(spans.map(contentOf)).toEqual([
    {
      "gen_ai.system_instructions": [{ type: "text", content: "You know rivers." }],
      "gen_ai.input.messages": [{ role: "user", parts: [{ type: "text", content: "How long is the Nile?" }] }],
      "gen_ai.output.messages": [
        {
          role: "assistant",
          parts: [
            { type: "text", content: "I look it up." },
            { type: "tool_call", id: "call_1", name: "river", arguments: "not json" },
          ],
          finish_reason: "stop",
        },
      ],
    },
  ]);
});

test("too much is cut, newest last, as valid JSON, and the span says what is not whole", async () => {
  const messages = Array.from({ length: 10 }, (_, i) => ({ role: "user", content: `${i} ${"x".repeat(9000)}` }));
  const { spans } = await exported([
    await observe(chatExchange({ request_: { model: "gpt-4o", messages } }), "content"),
  ]);
  const [span] = spans as [ReceivedSpan];
  expect((span.attributes["gen_ai.input.messages"] as string).length).toBeLessThanOrEqual(32_768);
  const content = contentOf(span);
  // 8,192 characters of each text, and three such messages fit.
  const kept = (content["gen_ai.input.messages"] as { parts: [{ content: string }] }[]).map(
    ({ parts: [part] }) => part.content,
  );
  expect(kept.map((text) => text[0])).toEqual(["7", "8", "9"]);
  expect(kept[2]).toMatch(/x… \[cut: 810 more characters\]$/);
  expect(content["omnimeter.content.cut"]).toEqual(["gen_ai.input.messages"]);
  expect(content["gen_ai.output.messages"]).toHaveLength(1);
});

test("whatever is said, each attribute is valid JSON within its limit, and what is not whole is named", async () => {
  const random = seeded(7);
  const words = ["x", '"', "\\", "\n", "你", "🎙️", "\ud83c"];
  const say = (length: number) =>
    Array.from({ length }, () => words[Math.floor(random() * words.length)] as string).join("");
  const observations = await Promise.all(
    Array.from({ length: 20 }, () => {
      const count = 1 + Math.floor(random() * 40);
      const messages = Array.from({ length: count }, () => ({ role: "user", content: say(random() * 4000) }));
      return observe(chatExchange({ request_: { model: "gpt-4o", messages } }), "content");
    }),
  );
  const { spans } = await exported(observations);
  for (const [i, span] of spans.entries()) {
    expect((span.attributes["gen_ai.input.messages"] as string).length).toBeLessThanOrEqual(32_768);
    const content = contentOf(span);
    const sent = observations[i]?.content?.input ?? [];
    const kept = (content["gen_ai.input.messages"] as { parts: { content: string }[] }[]).map(
      ({ parts: [part] }) => part?.content ?? "",
    );
    const whole = sent.map(({ parts: [part] }) => (part?.type === "text" ? part.text : ""));
    const isCut = JSON.stringify(kept) !== JSON.stringify(whole);
    expect(content["omnimeter.content.cut"]).toEqual(isCut ? ["gen_ai.input.messages"] : undefined);
    // The newest are there.
    if (kept.length) expect(kept.at(-1)?.slice(0, 100)).toBe(whole.at(-1)?.slice(0, 100));
  }
});

test("the provider's error message may repeat what was said: it leaves with the content only", async () => {
  const exchange = chatExchange();
  const answer = Buffer.from(JSON.stringify({ error: { message: "Bad: Nile", type: "invalid_request_error" } }));
  const response = {
    status: 400,
    headers: ["content-type", "application/json"],
    headAtMs: 402,
    chunks: [{ atMs: 402.5, offset: 0, bytes: answer }],
    bytes: answer.length,
    cut: false,
  };
  const { spans } = await exported([
    await observe({ ...exchange, response }),
    await observe({ ...exchange, response }, "content"),
  ]);
  expect(spans.map(({ status }) => status)).toEqual([
    { code: 2, message: null },
    { code: 2, message: "Bad: Nile" },
  ]);
});
