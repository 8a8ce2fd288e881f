import OpenAI, { toFile } from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { expect, test } from "vitest";
import { z } from "zod";
import { asHeader } from "#tests/support/upstream/script.ts";
import { readAll } from "#tests/support/upstream/stream.ts";
import { bothWays, useLab } from "./setup.ts";

const lab = useLab((mock) => {
  mock.onMessage(/hello/, { content: "Hello wörld – 你好 🎙️, how can I help you today?" });
  mock.onMessage(/person/, { content: '{"name":"Ada","age":36}' });
  mock.on(
    { userMessage: /weather/, hasToolResult: false },
    { toolCalls: [{ name: "get_weather", arguments: '{"city":"Oslo"}', id: "call_1" }] },
  );
  mock.on({ userMessage: /weather/, hasToolResult: true }, { content: "It is 7 °C in Oslo." });
  mock.onEmbedding(/.*/, { embedding: [0.1, -0.25, 0.5] });
});
const messages = [{ role: "user" as const, content: "hello there" }];
const clientOf = (baseURL: string, options = {}) => new OpenAI({ baseURL, apiKey: "sk-test", ...options });
const same = async <T>(work: (client: OpenAI) => Promise<T>) => {
  const { direct, proxied } = await bothWays(lab.mock.url, lab.proxy.url, (baseURL) => work(clientOf(baseURL)));
  expect(proxied).toEqual(direct);
  return proxied as T;
};
const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
};

test("a chat completion is the same", async () => {
  const answer = await same((client) => client.chat.completions.create({ model: "gpt-4o", messages }));
  expect(answer.choices[0]?.message.content).toContain("wörld");
});

test("a streamed chat completion is the same, chunk for chunk, without the usage that was not asked for", async () => {
  const chunks = await same(async (client) =>
    (await collect(await client.chat.completions.create({ model: "gpt-4o", messages, stream: true }))).map(
      withoutNullUsage,
    ),
  );
  expect(chunks.length).toBeGreaterThan(2);
  expect(chunks.some((chunk) => chunk.choices.length === 0)).toBe(false);
});

test("a streamed chat completion with usage asked for is the same", async () => {
  const chunks = await same(async (client) =>
    collect(
      await client.chat.completions.create({
        model: "gpt-4o",
        messages,
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  );
  expect(chunks.at(-1)?.usage?.total_tokens).toBeGreaterThan(0);
});

test("the stream helper sees the same events and the same final completion", async () => {
  await same(async (client) => {
    const events: string[] = [];
    const stream = client.chat.completions.stream({ model: "gpt-4o", messages });
    stream
      .on("content.delta", ({ delta }) => events.push(delta))
      .on("content.done", ({ content }) => events.push(content));
    const { usage: _, ...final } = await stream.finalChatCompletion();
    return { events, final };
  });
});

test("the tool runner runs the same tools and ends with the same words", async () => {
  const ran = await same(async (client) => {
    const calls: unknown[] = [];
    const runner = client.chat.completions.runTools({
      model: "gpt-4o",
      messages: [{ role: "user", content: "what is the weather in Oslo?" }],
      tools: [
        {
          type: "function",
          function: {
            name: "get_weather",
            description: "Current weather",
            parameters: { type: "object", properties: { city: { type: "string" } } },
            parse: JSON.parse,
            function: (args: { city: string }) => {
              calls.push(args);
              return "7 degrees";
            },
          },
        },
      ],
    });
    return { content: await runner.finalContent(), calls };
  });
  expect(ran).toEqual({ content: "It is 7 °C in Oslo.", calls: [{ city: "Oslo" }] });
});

const Person = z.object({ name: z.string(), age: z.number() });

test("structured output is parsed the same, in chat and in responses", async () => {
  const chat = await same((client) =>
    client.chat.completions.parse({
      model: "gpt-4o",
      messages: [{ role: "user", content: "a person" }],
      response_format: zodResponseFormat(Person, "person"),
    }),
  );
  expect(chat.choices[0]?.message.parsed).toEqual({ name: "Ada", age: 36 });
  const response = await same((client) =>
    client.responses.parse({ model: "gpt-4o", input: "a person", text: { format: zodTextFormat(Person, "person") } }),
  );
  expect(response.output_parsed).toEqual({ name: "Ada", age: 36 });
});

test("a response is the same, streamed and not, and with the stream helper", async () => {
  const answer = await same((client) => client.responses.create({ model: "gpt-4o", input: "hello" }));
  expect(answer.output_text).toContain("wörld");
  await same(async (client) =>
    collect(await client.responses.create({ model: "gpt-4o", input: "hello", stream: true })),
  );
  await same(async (client) => client.responses.stream({ model: "gpt-4o", input: "hello" }).finalResponse());
});

test("embeddings are the same", async () => {
  const answer = await same((client) =>
    client.embeddings.create({ model: "text-embedding-3-small", input: ["one", "two"] }),
  );
  expect(answer.data).toHaveLength(2);
});

test("an abort in the middle of a stream ends the upstream's call at once", async () => {
  const client = clientOf(`${lab.hostile.url}/v1`, {
    defaultHeaders: { "x-script": asHeader({ do: "chat", chunks: 500, paceMs: 10 }) },
  });
  const before = lab.upstream.connections().open;
  const stream = await client.chat.completions.create({ model: "gpt-4o", messages, stream: true });
  let seen = 0;
  for await (const _ of stream) if (++seen === 5) stream.controller.abort();
  expect(seen).toBe(5);
  const deadline = Date.now() + 2000;
  while (lab.upstream.connections().open > before && Date.now() < deadline)
    await new Promise((soon) => setTimeout(soon, 20));
  expect(lab.upstream.connections().open).toBeLessThanOrEqual(before);
});

for (const [status, headers] of [
  [429, [["Retry-After-Ms", "20"]]],
  [500, []],
  [503, [["retry-after", "0"]]],
] as [number, [string, string][]][])
  test(`the client's own retries after a ${status} are the same: as many, as marked, and with the same error in the end`, async () => {
    const counts: string[][] = [];
    const outcomes: unknown[] = [];
    for (const base of [lab.upstream.url, lab.hostile.url]) {
      const retries: string[] = [];
      lab.upstream.on("/v1/chat/completions", async (req, res) => {
        await readAll(req);
        retries.push(String(req.headers["x-stainless-retry-count"]));
        res.writeHead(status, ["Content-Type", "application/json", ...headers.flat()]);
        res.end('{"error":{"message":"no","type":"requests","param":null,"code":"rate_limit_exceeded"}}');
      });
      outcomes.push(
        await clientOf(`${base}/v1`, { maxRetries: 2 })
          .chat.completions.create({ model: "gpt-4o", messages })
          .catch((error: InstanceType<typeof OpenAI.APIError>) => ({
            name: error.constructor.name,
            status: error.status,
            code: error.code,
            message: error.message,
          })),
      );
      counts.push(retries);
    }
    expect(counts[1]).toEqual(["0", "1", "2"]);
    expect(counts[1]).toEqual(counts[0]);
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

test("a call that succeeds at its second try succeeds through the proxy", async () => {
  let tries = 0;
  lab.upstream.on("/v1/responses", async (req, res) => {
    await readAll(req);
    if (tries++ === 0) res.writeHead(429, { "retry-after-ms": "10" }).end("{}");
    else
      res.writeHead(200, { "content-type": "application/json" }).end('{"id":"resp_1","object":"response","output":[]}');
  });
  const answer = await clientOf(`${lab.hostile.url}/v1`).responses.create({ model: "gpt-4o", input: "x" });
  expect(answer.id).toBe("resp_1");
  expect(tries).toBe(2);
});

test("uploaded files arrive byte for byte as multipart", async () => {
  const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256));
  const seen: Buffer[] = [];
  lab.upstream.on("/v1/files", async (req, res) => {
    seen.push(await readAll(req));
    res.writeHead(200, { "content-type": "application/json" }).end('{"id":"file-1","object":"file"}');
  });
  for (const base of [lab.upstream.url, lab.hostile.url])
    await clientOf(`${base}/v1`).files.create({ file: await toFile(content, "dätä.bin"), purpose: "user_data" });
  for (const body of seen) expect(body.includes(content)).toBe(true);
  expect(seen[1]?.length).toBe(seen[0]?.length);
});

test("a stream that the upstream breaks off is an error, not an end", async () => {
  const work = async (base: string) => {
    const client = clientOf(`${base}/v1`, {
      maxRetries: 0,
      defaultHeaders: { "x-script": asHeader({ do: "responses", resetAfter: 6 }) },
    });
    lab.upstream.off("/v1/responses");
    try {
      return {
        events: (await collect(await client.responses.create({ model: "gpt-4o", input: "x", stream: true }))).length,
      };
    } catch (error) {
      return { error: (error as Error).constructor.name };
    }
  };
  const direct = await work(lab.upstream.url);
  expect(direct).toHaveProperty("error");
  expect(await work(lab.hostile.url)).toEqual(direct);
});

test("binary answers are the same bytes", async () => {
  const headers = { "x-script": asHeader({ do: "bytes", size: 300_000, seed: 12, framing: "chunked" }) };
  const speech = async (base: string) => {
    const answer = await clientOf(`${base}/v1`, { defaultHeaders: headers }).audio.speech.create({
      model: "tts-1",
      voice: "alloy",
      input: "x",
    });
    return Buffer.from(await answer.arrayBuffer());
  };
  expect((await speech(lab.hostile.url)).equals(await speech(lab.upstream.url))).toBe(true);
});

/** Asking for the usage makes every chunk say `usage: null`: documented, and the one thing that stays visible. */
function withoutNullUsage<T extends { usage?: unknown }>(chunk: T): T {
  if (chunk.usage !== null) return chunk;
  const { usage: _, ...rest } = chunk;
  return rest as T;
}
