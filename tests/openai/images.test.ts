import { describe, expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import { form } from "./form.ts";
import type { Wire } from "./from-recording.ts";
import { events, exchange, oddly } from "./from-recording.ts";

const path = "/v1/images/generations";
const request = { model: "gpt-image-1", prompt: "Hello world", size: "1024x1024", quality: "high" };
const picture = { b64_json: Buffer.alloc(100).toString("base64") };

const draw = (wire: Wire = {}) => decode(exchange({ path, request, response: { data: [picture] }, ...wire }));
const short = (facts: Awaited<ReturnType<typeof draw>>) =>
  facts.lines.map((line) => `${line.direction} ${line.modality} ${line.quantity} ${line.unit} ${line.source}`);

describe("a generated image", () => {
  test("is billed by its tokens, text and image apart", async () => {
    const usage = {
      input_tokens: 50,
      input_tokens_details: { text_tokens: 12, image_tokens: 38 },
      output_tokens: 4170,
      output_tokens_details: { text_tokens: 10, image_tokens: 4160 },
      total_tokens: 4220,
    };
    const facts = await draw({ response: { data: [picture], usage, output_format: "png", size: "1024x1024" } });
    expect(short(facts)).toEqual([
      "input text 12 token reported",
      "input image 38 token reported",
      "output text 10 token reported",
      "output image 4160 token reported",
    ]);
    expect(facts).toMatchObject({
      model: "gpt-image-1",
      inputModalities: ["text"],
      outputModalities: ["image"],
      problems: [],
    });
    expect(facts.content.output).toEqual([
      { role: "assistant", parts: [{ type: "image", mediaType: "image/png", bytes: 100 }] },
    ]);
  });

  test("is all that comes out, where no details say otherwise", async () => {
    const usage = { input_tokens: 12, output_tokens: 4160, total_tokens: 4172 };
    const facts = await draw({ response: { data: [picture], usage } });
    expect(short(facts)).toEqual(["input text 12 token reported", "output image 4160 token reported"]);
    expect(facts.usage).toMatchObject({ outputTokens: 4160, outputImageTokens: null });
  });

  test("with pictures sent in divides one figure by the prompt's own tokens, and says so", async () => {
    const usage = { input_tokens: 300, output_tokens: 272, total_tokens: 572 };
    const facts = await draw({
      path: "/v1/images/edits",
      request: {
        ...request,
        images: [{ image_url: "https://u:p@x.com/a.png?sig=secret" }],
        mask: { file_id: "file-1" },
      },
      response: { data: [picture], usage },
    });
    expect(short(facts).sort()).toEqual([
      "input image 298 token reported",
      "input text 2 token reported",
      "output image 272 token reported",
    ]);
    expect(facts.problems).toEqual(["image_split_estimated"]);
    expect(facts.content.input[0]?.parts).toMatchObject([
      { type: "text", text: "Hello world" },
      { type: "image", url: "https://x.com/a.png" },
      { type: "image", name: "file-1" },
    ]);
    expect(JSON.stringify(facts)).not.toContain("secret");
  });

  test("in a form counts its pictures", async () => {
    const png = { name: "a.png", type: "image/png", bytes: Buffer.alloc(300) };
    const wire = form({ model: "dall-e-2", prompt: "Hi", "image[]": png, mask: png, n: "2", stream: "false" });
    const facts = await draw({
      path: "/v1/images/edits",
      ...wire,
      response: { data: [{ url: "https://x/1?s=1" }, { url: "https://x/2" }] },
    });
    expect(facts.content.input[0]?.parts.map(({ type }) => type)).toEqual(["text", "image", "image"]);
    expect(facts.content.output[0]?.parts).toMatchObject([{ url: "https://x/1" }, { url: "https://x/2" }]);
    expect(short(facts)).toEqual(["output image 2 image measured"]);
    expect(facts).toMatchObject({ model: "dall-e-2", streamed: false, usage: { source: "measured" } });
  });

  test("of a model with tokens that states nothing is estimated by its size and quality", async () => {
    const square = await draw();
    expect(square.usage).toMatchObject({
      source: "estimated",
      inputTokens: 2,
      outputTokens: 4160,
      outputImageTokens: 4160,
    });
    expect(square.usage.bounds).toEqual({ inputLow: 0, inputHigh: 22, outputLow: 4160, outputHigh: 4160 });
    const auto = await draw({ request: { model: "gpt-image-1", prompt: "Hello world" } });
    expect(auto.usage.bounds).toMatchObject({ outputLow: 408, outputHigh: 6240 });
    expect(auto.usage.outputTokens).toBe(1584);
  });

  test.each([{}, "12", { input_tokens: 0, output_tokens: 0, total_tokens: 0 }])(
    "of which %j is stated is estimated all the same",
    async (usage) => {
      expect(short(await draw({ response: { data: [picture], usage } }))).toEqual(short(await draw()));
    },
  );

  test("with an SVG has a second model beside it", async () => {
    const usage = { input_tokens: 12, output_tokens: 4160, total_tokens: 4172 };
    const svg = { model: "gpt-5-mini", input_tokens: 100, output_tokens: 30, reasoning_tokens: 10, total_tokens: 130 };
    const { lines, problems } = await draw({ response: { data: [picture], usage, svg_usage: svg } });
    expect(
      lines.filter(({ direction }) => direction === "tool").map((line) => [line.product, line.unit, line.quantity]),
    ).toEqual([
      ["gpt-5-mini", "input_token", 100],
      ["gpt-5-mini", "output_token", 30],
    ]);
    expect(problems).toEqual([]);
    const nameless = await draw({ response: { data: [picture], usage, svg_usage: { ...svg, model: null } } });
    expect(nameless.problems).toEqual(["svg_model_missing"]);
    expect(nameless.lines.filter(({ direction }) => direction === "tool").map(({ product }) => product)).toEqual([
      "unknown",
      "unknown",
    ]);
    const bad = await draw({ response: { data: [picture], usage, svg_usage: { ...svg, input_tokens: -1 } } });
    expect(bad.lines.some(({ direction }) => direction === "tool")).toBe(false);
    expect(bad.problems).toContain("usage_bad_number");
  });

  test("whose usage contradicts itself has no lines", async () => {
    const usage = {
      input_tokens: 12,
      output_tokens: 10,
      output_tokens_details: { image_tokens: 11 },
      total_tokens: 22,
    };
    const facts = await draw({ response: { data: [picture], usage } });
    expect(facts.lines).toEqual([]);
    expect(facts.problems).toContain("usage_inconsistent");
  });

  test("that was refused costs nothing", async () => {
    const facts = await draw({ status: 400, response: { error: { message: "no", code: "moderation_blocked" } } });
    expect(facts).toMatchObject({ outcome: "failed", model: null, lines: [], usage: { source: "none" } });
  });
});

describe("a streamed image", () => {
  const usage = { input_tokens: 12, output_tokens: 4360, total_tokens: 4372 };
  const partial = (index: number) =>
    events({ type: "image_generation.partial_image", partial_image_index: index, ...picture });
  const completed = events({
    type: "image_generation.completed",
    ...picture,
    size: "1024x1024",
    quality: "high",
    usage,
  });
  const headers = ["content-type", "text/event-stream"];

  test("tells when its drafts came, and its usage at the end", async () => {
    const response = [
      [1000, partial(0)],
      [3000, partial(1)],
      [4000, completed],
    ];
    const facts = await draw({ request: { ...request, stream: true }, headers, response });
    expect(facts.marks).toMatchObject({
      firstTokenMs: 1000,
      firstTextMs: null,
      lastTokenMs: 4000,
      longestGapMs: 2000,
      stalls: 1,
      contentChunks: 3,
    });
    expect(short(facts)).toEqual(["input text 12 token reported", "output image 4360 token reported"]);
    expect(facts).toMatchObject({ streamed: true, outcome: null, problems: [] });
    expect(facts.content.output[0]?.parts).toHaveLength(1);
  });

  test("of an edit is the same", async () => {
    const response = (partial(0) + completed).replaceAll("image_generation.", "image_edit.");
    const facts = await draw({ path: "/v1/images/edits", headers, response });
    expect(facts.usage).toMatchObject({ source: "reported", outputTokens: 4360 });
  });

  test("that broke off is estimated: nothing for sure, a whole picture at most", async () => {
    const facts = await draw({ headers, response: partial(0) });
    expect(facts).toMatchObject({ outcome: "truncated", usage: { source: "estimated", outputTokens: 4260 } });
    expect(facts.usage.bounds).toMatchObject({ outputLow: 0, outputHigh: 4260 });
  });

  test("of several pictures says that their sum is not known", async () => {
    expect((await draw({ headers, response: completed + completed })).problems).toEqual(["usage_repeated"]);
  });

  test("is the same wherever it was split, and cut at any byte gives facts", async () => {
    const bytes = Buffer.from(partial(0) + completed);
    const split = await draw({ headers, response: bytes, split: oddly });
    expect({ ...split, marks: null }).toEqual({ ...(await draw({ headers, response: bytes })), marks: null });
    for (let end = 0; end < bytes.length; end += 5) {
      const facts = await draw({ headers, response: bytes.subarray(0, end) });
      expect(facts.problems).not.toContain("reader_failed");
    }
  });
});
