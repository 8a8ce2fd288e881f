import { expect, test } from "vitest";
import type { SseEvent } from "#lib/openai/bodies/sse.ts";
import { createSseParser, EVENT_CHARS_MAX } from "#lib/openai/bodies/sse.ts";

function parse(chunks: readonly (string | Buffer)[]): SseEvent[] {
  const events: SseEvent[] = [];
  const parser = createSseParser((event) => events.push(event));
  for (const [index, chunk] of chunks.entries()) parser.push(Buffer.from(chunk as string), index);
  parser.end();
  return events;
}

const TEXT =
  '\uFEFF: hello\nevent: a\ndata: {"t":"é漢🎉"}\n\ndata\ndata: two\nid: 7\nretry: 1\nunknown: x\n\n\n\nevent: b\n\ndata:x\n\n';
const EVENTS = [
  { event: "a", data: '{"t":"é漢🎉"}' },
  { event: null, data: "\ntwo" },
  { event: null, data: "x" },
];

test.each([
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
])("a stream with %s line ends gives the same events wherever it is split", (_, lineEnd) => {
  const bytes = Buffer.from(TEXT.replaceAll("\n", lineEnd));
  for (let at = 0; at <= bytes.length; at++) {
    const events = parse([bytes.subarray(0, at), bytes.subarray(at)]);
    expect(events).toMatchObject(EVENTS);
    expect(events.length).toBe(EVENTS.length);
  }
  expect(parse([...bytes].map((byte) => Buffer.of(byte)))).toMatchObject(EVENTS);
});

test("an event has the time of the chunk that completed it", () => {
  const events = parse(["data: 1\n\ndata: 2\n", "\ndata: 3\n\n", "data: 4"]);
  expect(events.map(({ data, atMs }) => [data, atMs])).toEqual([
    ["1", 0],
    ["2", 1],
    ["3", 1],
    ["4", 2],
  ]);
});

test("an event the body broke off in is given out and marked", () => {
  expect(parse(["data: 1\n\ndata: {"])).toMatchObject([{ data: "1" }, { data: "{", unfinished: true }]);
});

test("reading goes on after missing bytes at the next line", () => {
  const events: SseEvent[] = [];
  const parser = createSseParser((event) => events.push(event));
  parser.push(Buffer.from("data: 1\n\ndata: begun"), 0);
  parser.gap();
  parser.push(Buffer.from("rest of another\n\ndata: 3\n\n"), 1);
  parser.end();
  expect(events.map(({ data }) => data)).toEqual(["1", "3"]);
});

test("an endless event is skipped and counted, and the next one is read", () => {
  const events: SseEvent[] = [];
  const parser = createSseParser((event) => events.push(event));
  const block = Buffer.alloc(1 << 20, "x");
  parser.push(Buffer.from("data: "), 0);
  for (let size = 0; size <= EVENT_CHARS_MAX; size += block.length) parser.push(block, 0);
  parser.push(Buffer.from("\n\ndata: next\n\n"), 1);
  expect(events.map(({ data }) => data)).toEqual(["next"]);
  expect(parser.oversized).toBe(1);
});
