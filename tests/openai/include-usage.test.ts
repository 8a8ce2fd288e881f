import { describe, expect, it } from "vitest";
import { insertIncludeUsage } from "#lib/openai/include-usage.ts";
import { createUsageStripper } from "#lib/openai/usage-chunk.ts";

const insert = (text: string) => insertIncludeUsage(Buffer.from(text))?.toString() ?? null;

describe("asking a stream for its usage", () => {
  it("inserts into the raw text and leaves every other byte as the client wrote it", () => {
    expect(insert('{ "model":"gpt-4o",\n "stream": true, "n": 1.0, "x": "\\u00e9" }')).toBe(
      '{"stream_options":{"include_usage":true}, "model":"gpt-4o",\n "stream": true, "n": 1.0, "x": "\\u00e9" }',
    );
  });

  it.each([
    [
      "merges options that the client set",
      '{"stream":true,"stream_options":{"include_obfuscation":false}}',
      '{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}',
    ],
    [
      "fills empty options",
      '{"stream":true,"stream_options":{ }}',
      '{"stream":true,"stream_options":{"include_usage":true }}',
    ],
    [
      "replaces null options",
      '{"stream":true,"stream_options":null}',
      '{"stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      "turns a false into true",
      '{"stream":true,"stream_options":{"include_usage": false}}',
      '{"stream":true,"stream_options":{"include_usage": true}}',
    ],
    [
      "lets the last of two equal keys count, as JSON readers do",
      '{"stream":false,"stream":true}',
      '{"stream_options":{"include_usage":true},"stream":false,"stream":true}',
    ],
  ])("%s", (_, given, expected) => expect(insert(given)).toBe(expected));

  it.each([
    ["a client that asks itself", '{"stream":true,"stream_options":{"include_usage":true}}'],
    ["a call that does not stream", '{"stream":false}'],
    ["a stream of another truth", '{"stream":"true"}'],
    [
      "a text that only talks of it",
      '{"messages":[{"content":"set \\"stream\\": true, please"}],"nested":{"stream":true}}',
    ],
    ["broken JSON", '{"stream":true,'],
    ["a JSON array", '[{"stream":true}]'],
    ["nothing", ""],
  ])("leaves %s alone", (_, given) => expect(insert(given)).toBeNull());

  it("never makes JSON that means something else, for any nesting", () => {
    const random = seeded(20261120);
    for (let i = 0; i < 2000; i++) {
      const body = { ...randomObject(random, 3), stream: true } as Record<string, unknown>;
      const text = JSON.stringify(body, null, random() < 0.5 ? 0 : 2);
      const changed = insert(text);
      const options = body.stream_options as Record<string, unknown> | null | undefined;
      expect(changed === null ? body : JSON.parse(changed)).toEqual({
        ...body,
        stream_options: { ...(options ?? {}), include_usage: true },
      });
    }
  });
});

const USAGE = 'data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n';
const event = (content: string) =>
  `data: {"id":"c","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}],"usage":null}\n\n`;

describe("taking the extra chunk out again", () => {
  const stream = `${event("Grüße")}${event("🌍")}${USAGE}data: [DONE]\n\n`;
  const expected = stream.replace(USAGE, "");

  it("removes the whole event at any chunk boundary, and nothing else", () => {
    const bytes = Buffer.from(stream);
    for (let first = 0; first <= bytes.length; first++)
      for (const second of [first, Math.min(bytes.length, first + 7), bytes.length]) {
        const stripper = createUsageStripper();
        const out = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)].map((part) =>
          stripper.push(part),
        );
        expect(Buffer.concat([...out, stripper.flush()]).toString()).toBe(expected);
      }
  });

  it("holds back at most one event that is not whole yet", () => {
    const stripper = createUsageStripper();
    expect(stripper.push(Buffer.from(`${event("a")}data: {"id"`)).toString()).toBe(event("a"));
    expect(stripper.push(Buffer.from(':"c"}\n\n')).toString()).toBe('data: {"id":"c"}\n\n');
  });

  it.each([
    [
      "chunks of moderation results",
      'data: {"choices":[],"usage":{"total_tokens":1},"moderation":{"flagged":false}}\n\n',
    ],
    ["Azure's first chunk", 'data: {"choices":[],"prompt_filter_results":[],"usage":{"total_tokens":1}}\n\n'],
    [
      "chunks that hold an answer and a usage",
      'data: {"choices":[{"delta":{"content":"x"}}],"usage":{"total_tokens":1}}\n\n',
    ],
    ["chunks without a usage", 'data: {"choices":[],"usage":null}\n\n'],
    ["text that is no JSON", 'data: "usage":{ nonsense\n\n'],
  ])("keeps %s", (_, given) => expect(createUsageStripper().push(Buffer.from(given)).toString()).toBe(given));

  it("removes it with CRLF line ends and with spaces in the JSON", () => {
    const crlf = 'data: {"choices": [], "usage": {"total_tokens": 5}}\r\n\r\n';
    expect(
      createUsageStripper()
        .push(Buffer.from(`data: 1\r\n\r\n${crlf}data: [DONE]\r\n\r\n`))
        .toString(),
    ).toBe("data: 1\r\n\r\ndata: [DONE]\r\n\r\n");
  });

  it("lets an event without end go rather than hold it for ever", () => {
    const stripper = createUsageStripper();
    const endless = Buffer.from(`data: ${"x".repeat(70_000)}`);
    expect(stripper.push(endless)).toHaveLength(endless.length);
  });
});

function seeded(seed: number) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomObject(random: () => number, depth: number): Record<string, unknown> {
  const keys = ['a"b', "stream_options", "model", "\\", "é", "messages"].filter((key) => random() < 0.5 && key);
  return Object.fromEntries(
    keys.map((key) => [key, key === "stream_options" ? randomOptions(random) : randomValue(random, depth)]),
  );
}

const randomOptions = (random: () => number) =>
  [null, {}, { include_obfuscation: true }, { include_usage: true }, { include_usage: false }][
    Math.floor(random() * 5)
  ];

function randomValue(random: () => number, depth: number): unknown {
  const kind = random();
  if (depth > 0 && kind < 0.3) return randomObject(random, depth - 1);
  if (depth > 0 && kind < 0.5) return [randomValue(random, depth - 1), randomValue(random, depth - 1)];
  return ['"stream": true, }{][', -1.5e3, true, null, '\\\\"', "{"][Math.floor(random() * 6)];
}
