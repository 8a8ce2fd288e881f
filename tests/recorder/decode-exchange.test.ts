import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Media } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import { decode } from "#lib/openai/decode.ts";
import type { ChildFacts, Facts } from "#lib/openai/facts.ts";
import { openBytes, openContent } from "#lib/privacy/seal.ts";
import { type DecodeOptions, decodeCalls } from "#lib/recorder/decode-exchange.ts";
import { chatExchange } from "#tests/support/exchange.ts";

const contentKey = randomBytes(32);
const options = (over: Partial<DecodeOptions> = {}): DecodeOptions => ({
  ...{ projectId: "default", contentKey, knownInstructions: new Set<string>(), keepAudio: true },
  ...over,
});
/** The real readers, and what somebody's wire would add to what they see. */
const seeing = (over: (facts: Facts) => Partial<Facts>): Pick<DecodeOptions, "decoder"> => ({
  decoder: {
    version: 7,
    async decode(exchange) {
      const facts = await decode(exchange);
      return { ...facts, ...over(facts) };
    },
  },
});
const decodeOne = async (exchange: Exchange, over: Partial<DecodeOptions> = {}) =>
  (await decodeCalls(exchange, options(over)))[0] as Awaited<ReturnType<typeof decodeCalls>>[number];

describe("audio that somebody asked to keep", () => {
  const audio = (index: number, bytes: number): Media => ({
    ...{ index, direction: index === 0 ? "input" : "output", mediaType: "audio/wav" },
    bytes: Buffer.alloc(bytes, index + 1),
  });

  it("is sealed, and opens as it was", async () => {
    const { media } = await decodeOne(
      chatExchange(),
      seeing(() => ({ media: [audio(0, 3000), audio(1, 500)] })),
    );
    expect(media?.map(({ sealed, ...one }) => one)).toEqual([
      { index: 0, direction: "input", mediaType: "audio/wav", bytes: 3000 },
      { index: 1, direction: "output", mediaType: "audio/wav", bytes: 500 },
    ]);
    expect(openBytes(media?.[1]?.sealed as Buffer, contentKey)).toEqual(Buffer.alloc(500, 2));
    expect(media?.[1]?.sealed.includes(Buffer.alloc(32, 2))).toBe(false);
  });

  it("is not kept where only facts are, nor where nobody asked", async () => {
    const seen = seeing(() => ({ media: [audio(0, 10)] }));
    for (const over of [{ contentKey: null }, { keepAudio: false }, { keepAudio: undefined }])
      expect((await decodeOne(chatExchange(), { ...seen, ...over })).media).toBeUndefined();
  });

  it("is kept up to 64 MB of a call; what is beyond is not, and that is said", async () => {
    const half = 32 << 20;
    const all = [audio(0, half), audio(1, half), audio(2, 1), audio(3, 1)];
    const { call, media } = await decodeOne(
      chatExchange(),
      seeing(() => ({ media: all })),
    );
    expect(media?.map(({ index }) => index)).toEqual([0, 1]);
    expect(call.problems).toEqual(["media_too_large"]);
  });
});

describe("an answer that is read again", () => {
  const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
  const stored = (over = {}) => {
    const answer = {
      id: "resp_1",
      object: "response",
      status: "completed",
      model: "gpt-4o-2024-08-06",
      output: [],
      ...over,
    };
    const target = "/v1/responses/resp_1";
    return chatExchange({ answer, start: { ...chatExchange().start, method: "GET", target, upstreamTarget: target } });
  };

  it("restates what the call that generated it used, at the prices of then", async () => {
    // gpt-4o-2024-08-06 costs $2.50 and $10 a million at any time; half of it in a batch.
    const { call, restates } = await decodeOne(
      stored({ usage, service_tier: "default" }),
      seeing(() => ({})),
    );
    expect(call.lines).toEqual([]);
    expect(restates).toMatchObject({
      ...{ projectId: "default", upstream: "default", objectId: "resp_1" },
      facts: {
        ...{ model: "gpt-4o-2024-08-06", serviceTier: "default", finishReasons: call.finishReasons },
        usage: { source: "reported", inputTokens: 10, outputTokens: 5 },
        lines: [{ costUsd: "0.000025" }, { costUsd: "0.00005" }],
      },
    });
    // Before its model was there, there was no price.
    const long = await decodeOne(
      stored({ usage }),
      seeing(() => ({ generatedAtMs: Date.UTC(2020, 0, 1) })),
    );
    expect(long.restates?.facts.lines.map(({ costUsd }) => costUsd)).toEqual([null, null]);
  });

  it("restates nothing where it states nothing, only guesses, or is no such answer", async () => {
    expect((await decodeOne(stored())).restates).toBeUndefined();
    const guess = seeing(({ usage: stated }) => ({ usage: { ...stated, source: "estimated" } }));
    expect((await decodeOne(stored({ usage }), guess)).restates).toBeUndefined();
    expect((await decodeOne(stored({ usage, id: undefined }))).restates).toBeUndefined();
    expect((await decodeOne(chatExchange())).restates).toBeUndefined();
  });
});

describe("calls that came out of an exchange", () => {
  const child = (facts: Facts, name: string, over: Partial<Facts> = {}): ChildFacts => ({
    ...{ key: ["batch_1", name], endpoint: "chat_completions", startedAtMs: Date.UTC(2026, 5, 1), timings: {} },
    ...{ outcome: "completed", status: 200, requestBytes: 1, responseBytes: 2 },
    facts: { ...facts, serviceTier: "batch", responseId: name, ...over },
  });

  it("stand behind it, each with an id of its own that is always the same, and with its content", async () => {
    const exchange = chatExchange();
    const seen = seeing((facts) => ({ children: [child(facts, "a"), child(facts, "b")] }));
    const calls = await decodeCalls(exchange, options(seen));
    expect(calls.map(({ call }) => [call.parentId, call.decoderVersion])).toEqual([
      [null, 7],
      [exchange.id, 7],
      [exchange.id, 7],
    ]);
    const again = await decodeCalls(exchange, options(seen));
    expect(again.map(({ call }) => call.id)).toEqual(calls.map(({ call }) => call.id));
    expect(new Set(calls.map(({ call }) => call.id)).size).toBe(3);
    expect(openContent(calls[1]?.payload?.sealed as Buffer, contentKey).output).toMatchObject([
      { parts: [{ text: "About 6,650 km." }] },
    ]);
  });

  it("go on without one that cannot be priced: it is stored without usage", async () => {
    const seen = seeing((facts) => {
      const lines = facts.lines.map((line) => ({ ...line, quantity: -1 }));
      return { children: [child(facts, "a", { lines }), child(facts, "b")] };
    });
    const [, bad, good] = await decodeCalls(chatExchange(), options(seen));
    expect(bad?.call).toMatchObject({ lines: [], usage: { source: "none" }, problems: ["usage_inconsistent"] });
    expect(good?.call.problems).toEqual([]);
    expect(good?.call.lines[0]?.costUsd).toBe("0.00001625");
  });
});

describe("a deployment whose answers name no model", () => {
  const target = "/openai/deployments/our%20ears/audio/transcriptions?api-version=2025-03-01-preview";
  const start = { ...chatExchange().start, target, upstreamTarget: target };
  const deployments = { "our ears": "whisper-1" };
  const read = async (
    model: string | null,
    over: Partial<Exchange["start"]> = {},
    requestModel: string | null = null,
  ) =>
    (
      await decodeOne(chatExchange({ start: { ...start, ...over } }), {
        ...seeing(() => ({ model, requestModel })),
        deployments,
      })
    ).call.model;

  it("is priced as the model that the settings name", async () => {
    expect(await read(null)).toBe("whisper-1");
    expect(await read("our ears")).toBe("whisper-1");
  });

  it("keeps the model that its answer names, and that of others", async () => {
    expect(await read("gpt-4o-transcribe")).toBe("gpt-4o-transcribe");
    const other = "/openai/deployments/theirs/audio/transcriptions";
    expect(await read(null, { target: other, upstreamTarget: other })).toBeNull();
    expect(await read("toString", { target: "/v1/x", upstreamTarget: "/v1/x" }, "toString")).toBe("toString");
  });

  it("may be named by the request instead", async () => {
    const plain = { target: "/openai/v1/audio/transcriptions", upstreamTarget: "/openai/v1/audio/transcriptions" };
    expect(await read(null, plain, "our ears")).toBe("whisper-1");
  });
});
