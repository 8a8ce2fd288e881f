import { createOpenAI } from "@ai-sdk/openai";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { bothWays, useLab } from "./setup.ts";

const lab = useLab((mock) => {
  mock.onMessage(/hello/, { content: "Hello wörld – 你好, how can I help you today?" });
  mock.onMessage(/person/, { content: '{"name":"Ada","age":36}' });
  mock.on(
    { userMessage: /weather/, hasToolResult: false },
    { toolCalls: [{ name: "get_weather", arguments: '{"city":"Oslo"}', id: "call_1" }] },
  );
  mock.on({ userMessage: /weather/, hasToolResult: true }, { content: "It is 7 °C in Oslo." });
});

for (const api of ["chat", "responses"] as const) {
  const same = async <T>(work: (model: ReturnType<ReturnType<typeof createOpenAI>["chat"]>) => Promise<T>) => {
    const { direct, proxied } = await bothWays(lab.mock.url, lab.proxy.url, (baseURL) =>
      work(createOpenAI({ baseURL, apiKey: "sk-test" })[api]("gpt-4o")),
    );
    expect(proxied).toEqual(direct);
    return proxied as T;
  };
  const weather = tool({
    description: "Current weather",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `7 degrees in ${city}`,
  });

  test(`${api}: generated text is the same`, async () => {
    const { text } = await same(async (model) => {
      const { text, usage, finishReason } = await generateText({ model, prompt: "hello" });
      return { text, usage, finishReason };
    });
    expect(text).toContain("wörld");
  });

  test(`${api}: streamed text is the same, piece for piece, with the same usage`, async () => {
    const { pieces } = await same(async (model) => {
      const result = streamText({ model, prompt: "hello" });
      const pieces: string[] = [];
      for await (const piece of result.textStream) pieces.push(piece);
      return { pieces, usage: await result.usage, finishReason: await result.finishReason };
    });
    expect(pieces.join("")).toContain("wörld");
  });

  test(`${api}: tools run the same, streamed and not`, async () => {
    const options = { prompt: "weather in Oslo?", tools: { get_weather: weather }, stopWhen: stepCountIs(3) };
    const { text } = await same(async (model) => {
      const { text, steps } = await generateText({ model, ...options });
      return { text, calls: steps.map(({ toolCalls, toolResults }) => ({ toolCalls, toolResults })) };
    });
    expect(text).toBe("It is 7 °C in Oslo.");
    await same(async (model) => {
      const result = streamText({ model, ...options });
      return { text: await result.text, steps: (await result.steps).map(({ toolCalls }) => toolCalls) };
    });
  });

  test(`${api}: an object is the same`, async () => {
    const output = Output.object({ schema: z.object({ name: z.string(), age: z.number() }) });
    const person = await same(async (model) => (await generateText({ model, prompt: "a person", output })).output);
    expect(person).toEqual({ name: "Ada", age: 36 });
  });
}
