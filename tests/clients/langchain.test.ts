import { tool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { expect, test } from "vitest";
import { z } from "zod";
import { bothWays, useLab } from "./setup.ts";

const lab = useLab((mock) => {
  mock.onMessage(/hello/, { content: "Hello wörld – 你好, how can I help you today?" });
  mock.onMessage(/person/, { content: '{"name":"Ada","age":36}' });
  mock.onMessage(/weather/, { toolCalls: [{ name: "get_weather", arguments: '{"city":"Oslo"}', id: "call_1" }] });
  mock.onEmbedding(/.*/, { embedding: [0.1, -0.25, 0.5] });
});

const weather = tool(async ({ city }) => `7 degrees in ${city}`, {
  name: "get_weather",
  description: "Current weather",
  schema: z.object({ city: z.string() }),
});

for (const useResponsesApi of [false, true]) {
  const api = useResponsesApi ? "responses" : "chat";
  const same = async <T>(work: (model: ChatOpenAI) => Promise<T>) => {
    const { direct, proxied } = await bothWays(lab.mock.url, lab.proxy.url, (baseURL) =>
      work(
        new ChatOpenAI({
          model: "gpt-4o",
          apiKey: "sk-test",
          configuration: { baseURL },
          useResponsesApi,
          maxRetries: 0,
        }),
      ),
    );
    expect(proxied).toEqual(direct);
    return proxied as T;
  };

  test(`${api}: an invocation is the same`, async () => {
    const { content } = await same(async (model) => {
      const { content, usage_metadata, tool_calls } = await model.invoke("hello");
      return { content, usage_metadata, tool_calls };
    });
    expect(JSON.stringify(content)).toContain("wörld");
  });

  test(`${api}: a stream is the same, piece for piece`, async () => {
    const pieces = await same(async (model) => {
      const pieces: unknown[] = [];
      for await (const { content, usage_metadata } of await model.stream("hello"))
        pieces.push({ content, usage_metadata });
      return pieces;
    });
    expect(JSON.stringify(pieces)).toContain("Hello");
  });

  test(`${api}: tool calls are the same`, async () => {
    const calls = await same(async (model) => (await model.bindTools([weather]).invoke("weather in Oslo?")).tool_calls);
    expect(calls?.[0]).toMatchObject({ name: "get_weather", args: { city: "Oslo" } });
  });

  test(`${api}: structured output is the same`, async () => {
    const schema = z.object({ name: z.string(), age: z.number() });
    expect(await same((model) => model.withStructuredOutput(schema).invoke("a person"))).toEqual({
      name: "Ada",
      age: 36,
    });
  });
}

test("embeddings are the same", async () => {
  const { direct, proxied } = await bothWays(lab.mock.url, lab.proxy.url, (baseURL) =>
    new OpenAIEmbeddings({ apiKey: "sk-test", configuration: { baseURL } }).embedDocuments(["one", "two"]),
  );
  expect(proxied).toEqual(direct);
});
