import { execFileSync } from "node:child_process";
import { stripTypeScriptTypes } from "node:module";
import { describe, expect, it, test } from "vitest";
import type { Content } from "#lib/call.ts";
import { decode } from "#lib/openai/decode.ts";
import { findEndpoint } from "#lib/openai/endpoints.ts";
import type { RequestText } from "#lib/openai/export/to-request.ts";
import { toRequest } from "#lib/openai/export/to-request.ts";
import { redactContent } from "#lib/privacy/redact.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { seeded } from "#tests/support/split.ts";
import { fromRecording, recordings } from "./from-recording.ts";

const ORIGIN = "http://127.0.0.1:4000";

/** What a request becomes after it was recorded. */
async function again(sent: object, path = "/v1/chat/completions"): Promise<RequestText> {
  const exchange = chatExchange({ request_: sent });
  const target = { target: path, upstreamTarget: path };
  const { content, requestModel } = await decode({ ...exchange, start: { ...exchange.start, ...target } });
  const { name: endpoint } = findEndpoint("POST", path);
  const stored = redactContent(content).content;
  return toRequest({ endpoint, method: "POST", path, requestModel }, stored, ORIGIN) as RequestText;
}

/** The arguments that `curl` would get from bash. */
function argumentsOf(text: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${text}`;
  const printed = execFileSync("bash", ["--norc", "-c", script], {
    env: { NODE_ENV: "test", OPENAI_API_KEY: "sk-mine" },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return printed.split("\0").slice(0, -1);
}

interface Asked {
  options: { baseURL: string };
  method: string;
  body: unknown;
  more: unknown;
}

/** What the official client would be asked to send. */
async function askedOf(text: string): Promise<Asked> {
  const code = stripTypeScriptTypes(text).replace('import OpenAI from "openai";', "");
  const asked = {} as Asked;
  class OpenAI {
    constructor(options: Asked["options"]) {
      asked.options = options;
      // biome-ignore lint/correctness/noConstructorReturn: any chain of names is a method here.
      return chain("") as OpenAI;
    }
  }
  const chain = (name: string): unknown =>
    new Proxy(() => {}, {
      get: (_, key) => chain(name ? `${name}.${String(key)}` : String(key)),
      apply: (_, __, [body, more]) => {
        Object.assign(asked, { method: name, body, more });
        return { async *[Symbol.asyncIterator]() {} };
      },
    });
  const run = new Function("OpenAI", "console", `return (async () => {${code}})()`);
  await run(OpenAI, { log() {} });
  return asked;
}

const tool = { type: "function", function: { name: "look_up", parameters: { type: "object", properties: {} } } };

describe("a recorded request is written again as it was sent", () => {
  test.each<[string, object]>([
    ["a question", { model: "gpt-4o", messages: [{ role: "user", content: "Why?" }], temperature: 0.2, stream: true }],
    [
      "tools, their calls and results",
      {
        model: "gpt-4o",
        messages: [
          { role: "developer", content: "Use the tools." },
          {
            role: "user",
            content: [
              { type: "text", text: "a" },
              { type: "text", text: "b" },
            ],
          },
          {
            role: "assistant",
            tool_calls: [
              { id: "call_1", type: "function", function: { name: "look_up", arguments: '{"a":1}' } },
              { id: "call_2", type: "custom", custom: { name: "run", input: "ls" } },
            ],
          },
          { role: "tool", tool_call_id: "call_1", content: "found" },
          { role: "tool", tool_call_id: "call_2", content: "done" },
        ],
        tool_choice: "auto",
        tools: [tool],
      },
    ],
    [
      "the older functions",
      {
        model: "gpt-3.5-turbo",
        messages: [
          { role: "assistant", function_call: { name: "look_up", arguments: "{}" } },
          { role: "function", name: "look_up", content: "found" },
        ],
        functions: [{ name: "look_up", parameters: {} }],
      },
    ],
    [
      "images by address, uploaded files, spoken answers and refusals",
      {
        model: "gpt-4o",
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "What is it?" },
              { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
              { type: "file", file: { file_id: "file-1" } },
            ],
          },
          { role: "assistant", audio: { id: "audio_1" } },
          { role: "assistant", refusal: "No." },
        ],
      },
    ],
  ])("chat: %s", async (_, sent) => {
    const { body, notes } = await again(sent);
    expect(body).toEqual(sent);
    expect(notes.filter((note) => !note.startsWith("Addresses"))).toEqual([]);
  });

  test.each<[string, object]>([
    ["a text", { model: "gpt-4o", instructions: "Be brief.", input: "Why?", max_output_tokens: 9 }],
    [
      "items",
      {
        model: "gpt-4o",
        input: [
          { role: "user", content: "Why?" },
          {
            role: "assistant",
            content: [
              { type: "output_text", text: "a" },
              { type: "output_text", text: "b" },
            ],
          },
          { type: "function_call", call_id: "call_1", name: "look_up", arguments: "{}" },
          { type: "function_call_output", call_id: "call_1", output: "found" },
          { type: "custom_tool_call", call_id: "call_2", name: "run", input: "ls" },
          { type: "custom_tool_call_output", call_id: "call_2", output: "done" },
          {
            role: "user",
            content: [
              { type: "input_text", text: "And?" },
              { type: "input_image", file_id: "file-1", detail: "high" },
              { type: "input_file", file_url: "https://example.com/a.pdf" },
              { type: "input_file", file_id: "file-2" },
            ],
          },
          { type: "item_reference", id: "msg_1" },
          { type: "mcp_approval_response", approval_request_id: "mcpr_1", approve: false },
        ],
        tools: [{ type: "web_search" }],
        previous_response_id: "resp_1",
      },
    ],
    ["a stored prompt", { prompt: { id: "pmpt_1", variables: { a: "b" } }, input: "Why?" }],
    ["nothing but what came before", { model: "gpt-4o", previous_response_id: "resp_1" }],
  ])("responses: %s", async (_, sent) => {
    expect((await again(sent, "/v1/responses")).body).toEqual(sent);
  });

  test.each<[string, object]>([
    ["one prompt", { model: "gpt-3.5-turbo-instruct", prompt: "Once", max_tokens: 9 }],
    ["several", { model: "gpt-3.5-turbo-instruct", prompt: ["Once", "Twice"] }],
  ])("legacy completions: %s", async (_, sent) => {
    expect((await again(sent, "/v1/completions")).body).toEqual(sent);
  });
});

const all = recordings("chat_completions", "completions", "responses");

/** Messages as they are read, whichever of several ways to write the same was chosen. */
describe.skipIf(all.length === 0)("recorded traffic, written again, is read as the same request", () => {
  test.each(all.map((recording) => [recording.id, recording] as const))("%s", async (_, recording) => {
    const exchange = fromRecording(recording);
    const { start } = exchange;
    const was = await decode(exchange);
    const { name: endpoint } = findEndpoint(start.method, start.upstreamTarget);
    const sent = { endpoint, method: start.method, path: start.target, requestModel: was.requestModel };
    const request = toRequest(sent, was.content, ORIGIN);
    if (request === null) return expect(was.content.input).toEqual([]);
    const bytes = Buffer.from(JSON.stringify(request.body));
    const is = await decode({
      ...exchange,
      request: { chunks: [{ atMs: 0, offset: 0, bytes }], bytes: bytes.length, cut: false },
      start: { ...start, headers: ["content-type", "application/json"] },
    });
    expect(is.requestModel).toBe(was.requestModel);
    expect(is.streamed).toBe(was.streamed);
    expect(is.content.tools).toEqual(was.content.tools);
    expect(is.content.parameters).toEqual(was.content.parameters);
    if (request.notes.length === 0) expect(is.content.input).toEqual(was.content.input);
  });
});

describe("what was not stored is visibly missing", () => {
  it("bytes of images, audio and files", async () => {
    const data = Buffer.alloc(3000, 7).toString("base64");
    const { body, notes } = await again({
      model: "gpt-4o",
      messages: [
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: `data:image/png;base64,${data}` } },
            { type: "input_audio", input_audio: { data, format: "mp3" } },
            { type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${data}` } },
          ],
        },
      ],
    });
    expect(body.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "data:image/png;base64,<not stored: image/png, 3000 bytes>" } },
          { type: "input_audio", input_audio: { data: "<not stored: audio/mpeg, 3000 bytes>", format: "mp3" } },
          { type: "file", file: { filename: "a.pdf", file_data: "<not stored: application/pdf, 3000 bytes>" } },
        ],
      },
    ]);
    expect(notes).toEqual(["Images, audio and files are not stored: put them in where angle brackets say so."]);
  });
  it("secrets, signed addresses, and what is too long", async () => {
    const { body, notes } = await again({
      model: "gpt-4o",
      messages: [
        { role: "user", content: `My key is sk-proj-${"a1B2c3D4e5F6g7H8".repeat(3)}.` },
        { role: "user", content: [{ type: "image_url", image_url: { url: "https://x.com/a.png?sig=abc" } }] },
        { role: "user", content: [{ type: "hologram", data: "ab ".repeat(2000) }] },
      ],
      prediction: { type: "content", content: `data:text/plain;base64,${"QUJD".repeat(100)}` },
    });
    const text = JSON.stringify(body);
    expect(text).not.toContain("a1B2c3D4");
    expect(text).toContain('"https://x.com/a.png"');
    expect(text).toContain('{"type":"hologram","omitted":"<not stored: too long>"}');
    expect(notes).toHaveLength(3);
  });
  it("inputs of embeddings, and prompts of numbers", async () => {
    const embedding = toRequest(
      { endpoint: "embeddings", method: "POST", path: "/v1/embeddings", requestModel: "text-embedding-3-small" },
      { parameters: {}, tools: [], input: [], output: [] },
      ORIGIN,
    );
    expect(embedding?.body).toEqual({ model: "text-embedding-3-small", input: "<not stored: the input>" });
    const { body } = await again({ model: "m", prompt: [1, 2, 3] }, "/v1/completions");
    expect(body).toEqual({ model: "m", prompt: "<not stored: a prompt of token numbers>" });
  });
  it("requests of other endpoints and methods, which are not written at all", () => {
    const content: Content = { parameters: {}, tools: [], input: [], output: [] };
    const of = (endpoint: string, method: string) =>
      toRequest({ endpoint, method, path: "/v1/x", requestModel: null }, content, ORIGIN);
    expect(of("images_generations", "POST")).toBeNull();
    expect(of("responses", "GET")).toBeNull();
    expect(of("unknown", "POST")).toBeNull();
    expect(of("toString", "POST")).toBeNull();
    // Its body could not be read.
    expect(of("chat_completions", "POST")).toBeNull();
  });
});

describe("the texts", () => {
  const HOSTILE = [
    "'; touch /tmp/owned; '",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would put in must not be put in.
    "$(id) `id` $OPENAI_API_KEY ${HOME}",
    "a\nb\r\n\tc\0d",
    "\\'\\\"\\\\",
    "!! !-1 *?[~]",
    "Ünïcødé 🦭 \u2028\u2029 \ud800",
    "@/etc/passwd",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the same for a template.
    "`${1+1}`</script><!--",
    "",
  ];
  const random = seeded(4711);
  const anyText = () => {
    const pieces = Array.from({ length: Math.floor(random() * 6) }, () => {
      if (random() < 0.4) return HOSTILE[Math.floor(random() * HOSTILE.length)] as string;
      return Array.from({ length: Math.floor(random() * 20) }, () =>
        String.fromCharCode(Math.floor(random() * (random() < 0.8 ? 128 : 65536))),
      ).join("");
    });
    return pieces.join("");
  };
  const anyBody = () => ({
    model: anyText() || "m",
    messages: [
      { role: "user", content: anyText() },
      {
        role: "assistant",
        tool_calls: [{ id: "c", type: "function", function: { name: anyText(), arguments: anyText() } }],
      },
    ],
    ...JSON.parse(`{"__proto__": ${JSON.stringify({ deep: anyText(), __proto__: null })}}`),
    [`x${anyText()}`]: [anyText(), { [anyText()]: null, __proto__: 1 }],
    ...(random() < 0.5 && { stream: random() < 0.5 }),
  });
  const requestOf = (body: ReturnType<typeof anyBody>, path: string) => {
    const { model, messages, ...parameters } = body;
    const [asked, called] = messages;
    const function_ = called?.tool_calls?.[0]?.function;
    return toRequest(
      { endpoint: "chat_completions", method: "POST", path, requestModel: model },
      {
        parameters,
        tools: [],
        input: [
          { role: "user", parts: [{ type: "text", text: asked?.content ?? "" }] },
          {
            role: "assistant",
            parts: [{ type: "tool_call", id: "c", kind: "function", name: "", arguments: "", ...function_ }],
          },
        ],
        output: [],
      },
      ORIGIN,
    ) as RequestText;
  };
  /** Half of a pair of code units is written as an escape, and nothing else is lost. */
  const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));

  it("hold any request, byte by byte", async () => {
    for (let i = 0; i < 30; i++) {
      const path = "/f/it's $(id)/v1/chat/completions";
      const sent = anyBody();
      const { curl, typescript } = requestOf(sent, path);
      const [url, ...rest] = argumentsOf(curl);
      expect(url).toBe(`${ORIGIN}${path}`);
      expect(rest.slice(0, 5)).toEqual([
        "-H",
        "authorization: Bearer sk-mine",
        "-H",
        "content-type: application/json",
        "--data-raw",
      ]);
      expect(rest).toHaveLength(6);
      expect(JSON.parse(rest[5] as string)).toEqual(asJson(sent));
      const asked = await askedOf(typescript as string);
      expect(asked).toEqual({
        options: { baseURL: `${ORIGIN}/f/it's $(id)/v1` },
        method: "chat.completions.create",
        body: asJson(sent),
        more: undefined,
      });
      // toEqual takes a prototype for the same as a member of that name.
      expect(Object.keys(asked.body as object)).toEqual(Object.keys(sent));
    }
  });
  it("go where the call went, without what a query kept secret", async () => {
    const { curl, typescript } = requestOf(anyBody(), "/u/eu/v1/chat/completions?beta=true&api-key=fp_1234");
    expect(argumentsOf(curl)[0]).toBe(`${ORIGIN}/u/eu/v1/chat/completions?beta=true`);
    expect(await askedOf(typescript as string)).toMatchObject({
      options: { baseURL: `${ORIGIN}/u/eu/v1` },
      more: { query: { beta: "true" } },
    });
  });
  it("speak to Azure by curl alone", () => {
    const path = "/u/az/openai/deployments/mine/chat/completions?api-version=2024-10-21";
    const { curl, typescript } = requestOf(anyBody(), path);
    expect(typescript).toBeNull();
    expect(argumentsOf(curl).slice(0, 3)).toEqual([`${ORIGIN}${path}`, "-H", "api-key: sk-mine"]);
  });
});
