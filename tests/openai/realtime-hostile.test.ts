import { describe, expect, test } from "vitest";
import type { ExchangeEnd } from "#lib/exchange.ts";
import { decodeSession } from "#lib/openai/sessions/sessions.ts";
import type { Said } from "./session-messages.ts";
import { messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

const SIDE_CHANNEL = "/v1/realtime?call_id=rtc_1";

describe("lengths that cannot be", () => {
  test.each(["elided:99999999999", `elided:${"9".repeat(400)}`])(
    "audio longer than a message can be is none: %s",
    (audio) => {
      const { session, turns } = decode([
        ["client", 1, { type: "input_audio_buffer.append", audio }],
        ["server", 2, { type: "response.created", response: { id: "r1" } }],
        ["server", 3, { type: "response.output_audio.delta", response_id: "r1", item_id: "i1", delta: audio }],
      ]);
      expect(session).toMatchObject({ audioInMs: 0, audioOutMs: 0 });
      expect(turns[0]?.audioMs).toBe(0);
    },
  );

  test("a rate that nobody speaks at is none", () => {
    const { session } = decode([
      configured({ format: { type: "audio/pcm", rate: 1e-300 } }),
      ["client", 1, append(48_000)],
    ]);
    expect(session.audioInMs).toBe(1000);
  });

  test("speech that is longer than the session has no length, and costs nothing measured", () => {
    const { calls } = decode([
      configured({ transcription: { model: "whisper-1" } }),
      ["server", 900, { type: "input_audio_buffer.speech_started", audio_start_ms: 500, item_id: "i1" }],
      ["server", 1000, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 1e11, item_id: "i1" }],
      [
        "server",
        1100,
        { type: "conversation.item.input_audio_transcription.completed", item_id: "i1", transcript: "Hi" },
      ],
    ]);
    expect(calls[0]?.facts).toMatchObject({ usage: { source: "none" }, lines: [], inputAudioMs: null });
  });

  test.each(["3", -1, 1e9, null])(
    "seconds of a transcription that cannot be (%s) are a problem, and no price",
    (seconds) => {
      const { calls } = decode([
        [
          "server",
          1,
          {
            type: "conversation.item.input_audio_transcription.completed",
            item_id: "i1",
            transcript: "Hi",
            usage: { type: "duration", seconds },
          },
        ],
      ]);
      expect(calls[0]?.facts).toMatchObject({ usage: { source: "none" }, lines: [], problems: ["usage_bad_number"] });
    },
  );
});

describe("what somebody said is written down", () => {
  const written = (over: object): Said => [
    "server",
    5,
    {
      type: "conversation.item.input_audio_transcription.completed",
      transcript: "Hi",
      usage: { type: "duration", seconds: 2 },
      ...over,
    },
  ];

  test("once for each part of an item, whoever tells it again", () => {
    const first = written({ item_id: "i1", content_index: 0 });
    const second = written({ item_id: "i1", content_index: 1 });
    const { calls, session } = decode([first, second, first, second], SIDE_CHANNEL);
    expect(calls.map(({ facts }) => facts.countsFor)).toEqual(["i1", "i1/1"]);
    expect(session.problems).toEqual(["transcription_repeated"]);
  });

  test("as far as it came when the session ended: its seconds are charged, the other's nobody knows of", () => {
    const { calls } = decode(
      [
        configured({ transcription: { model: "gpt-4o-transcribe" } }),
        ["client", 1500, append(72_000)],
        ["server", 1500, { type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "i1" }],
        ["server", 1510, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 1400, item_id: "i1" }],
        ["server", 1520, { type: "input_audio_buffer.committed", item_id: "i1" }],
        ["server", 1530, { type: "conversation.item.input_audio_transcription.delta", item_id: "i1", delta: "Hel" }],
        ["server", 1540, { type: "input_audio_buffer.committed", item_id: "i2" }],
      ],
      undefined,
      null,
    );
    expect(calls).toMatchObject([
      {
        key: [SESSION_ID, "transcription", "i1"],
        outcome: "interrupted",
        timings: { durationMs: null },
        facts: { model: "gpt-4o-transcribe", usage: { source: "measured", durationSeconds: 2 } },
      },
    ]);
  });

  test("and charged for, though nobody says of which item", () => {
    const { calls } = decode([written({}), written({})]);
    expect(calls.map(({ facts }) => facts.usage.durationSeconds)).toEqual([2, 2]);
    expect(new Set(calls.map(({ key }) => key.join("/"))).size).toBe(2);
  });
});

test("nobody was done with speaking before the session began", () => {
  const { turns } = decode([
    ["server", 100, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 200, item_id: "i1" }],
    ["server", 150, { type: "response.created", response: { id: "r1" } }],
    ["server", 400, delta("r1", "o1", 200)],
  ]);
  expect(turns[0]).toMatchObject({ inputEndMs: 0, latencyMs: 400, problems: ["input_end_estimated"] });
});

test("audio that is sent faster than it was spoken is waited for from when it was sent", () => {
  const { turns } = decode([
    ["client", 1000, append(60_000 * 48)],
    ["server", 1200, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 30_500, item_id: "i1" }],
    ["server", 1210, { type: "response.created", response: { id: "r1" } }],
    ["server", 1400, delta("r1", "o1", 200)],
  ]);
  // Half of what took a second to send.
  expect(turns[0]).toMatchObject({ inputEndMs: 500, latencyMs: 900, problems: [] });
});

describe("a truncation", () => {
  test("of the answer before leaves the new one alone", () => {
    const { turns, session } = decode(
      [
        ...answered("r1", 100, 2000),
        ["server", 500, { type: "input_audio_buffer.speech_started", audio_start_ms: 300, item_id: "i2" }],
        ["server", 900, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 800, item_id: "i2" }],
        ["server", 1000, { type: "response.created", response: { id: "r2" } }],
        ["client", 1010, { type: "conversation.item.truncate", item_id: "r1_item", audio_end_ms: 400 }],
        ["server", 1100, delta("r2", "r2_item", 1000)],
        ["server", 1200, done("r2")],
      ],
      undefined,
      socketEnd({ endAtMs: 9000 }),
    );
    expect(turns[1]).toMatchObject({ bargeIn: null, heardMs: 1000, wastedMs: 0 });
    expect(session.problems).toEqual(["truncated_too_late"]);
  });

  test("of an item that is known of the new answer, though nothing of it was heard yet, is its own", () => {
    const { turns } = decode([
      ["server", 100, { type: "response.created", response: { id: "r1" } }],
      ["server", 110, { type: "response.output_item.added", response_id: "r1", item: { id: "o1", type: "message" } }],
      ["server", 120, { type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "i2" }],
      ["client", 130, { type: "conversation.item.truncate", item_id: "o1", audio_end_ms: 0 }],
      ["server", 140, delta("r1", "o1", 100)],
      ["server", 150, done("r1")],
    ]);
    expect(turns[0]).toMatchObject({ bargeIn: "confirmed", heardMs: 0, wastedMs: 100 });
  });

  test("beyond the end of one item counts nothing of the next as heard", () => {
    const { turns } = decode([
      ["server", 100, { type: "response.created", response: { id: "r1" } }],
      ["server", 200, delta("r1", "a", 1000)],
      ["server", 300, delta("r1", "b", 1000)],
      ["client", 900, { type: "conversation.item.truncate", item_id: "a", audio_end_ms: 1500 }],
    ]);
    expect(turns[0]).toMatchObject({ audioMs: 2000, heardMs: 1000, wastedMs: 1000 });
  });
});

test("a response that speaks in a format of its own is measured by it", () => {
  const format = { type: "audio/pcmu" };
  const { calls, turns, session } = decode([
    ["server", 100, { type: "response.created", response: { id: "r1", audio: { output: { format } } } }],
    ["server", 200, { type: "response.output_audio.delta", response_id: "r1", item_id: "a", delta: elided(4800) }],
    ["server", 300, done("r1")],
  ]);
  expect(turns[0]?.audioMs).toBe(600);
  expect(calls[0]?.facts.outputAudioMs).toBe(600);
  expect(session.audioOutMs).toBe(600);
});

test("speech that is kept plays in the format it was sent in, whatever the session changed to since", () => {
  const { calls } = decode([
    ["client", 1000, append(48_000)],
    ["server", 1000, { type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "i1" }],
    ["server", 1010, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 1000, item_id: "i1" }],
    [
      "server",
      1020,
      { type: "conversation.item.added", item: { id: "i1", role: "user", content: [{ type: "input_audio" }] } },
    ],
    ["server", 1030, { type: "session.updated", session: { audio: { input: { format: { type: "audio/pcmu" } } } } }],
    ["server", 1040, { type: "response.created", response: { id: "r1" } }],
    ["server", 1050, done("r1")],
  ]);
  const [media] = calls[0]?.facts.media ?? [];
  const file = Buffer.from(media?.bytes ?? []);
  // RIFF: format (1 is linear), samples a second.
  expect([file.readUInt16LE(20), file.readUInt32LE(24)]).toEqual([1, 24_000]);
});

test("an answer beside the conversation is known by what it states, when the asking was not heard", () => {
  const { turns, calls } = decode(
    [
      ["server", 100, { type: "response.created", response: { id: "r1", conversation_id: null } }],
      ["server", 200, done("r1")],
    ],
    SIDE_CHANNEL,
  );
  expect(calls).toHaveLength(1);
  expect(turns).toEqual([]);
});

test("what one answer says without end is kept to its limit, and named", () => {
  const said: Said[] = [["server", 0, { type: "response.created", response: { id: "r1" } }]];
  for (let item = 0; item < 40; item++)
    said.push([
      "server",
      1,
      { type: "response.output_text.delta", response_id: "r1", item_id: `i${item}`, delta: "x".repeat(100_000) },
    ]);
  const { calls } = decode(said);
  expect(calls[0]?.facts.problems).toContain("response_cut");
  expect(JSON.stringify(calls[0]?.facts.content.output).length).toBeLessThan(600_000);
});

function decode(said: readonly Said[], path?: string, end: ExchangeEnd | null = socketEnd()) {
  return decodeSession(socketStart(path), messagesOf(said), end, SESSION_ID);
}

const configured = (input: object): Said => ["server", 0, { type: "session.created", session: { audio: { input } } }];
const elided = (bytes: number) => "A".repeat((bytes * 4) / 3);
const append = (bytes: number) => ({ type: "input_audio_buffer.append", audio: elided(bytes) });
const delta = (id: string, item: string, ms: number) => ({
  type: "response.output_audio.delta",
  response_id: id,
  item_id: item,
  delta: elided(ms * 48),
});
const done = (id: string) => ({ type: "response.done", response: { id, status: "completed", output: [] } });
const answered = (id: string, atMs: number, ms: number): Said[] => [
  ["server", atMs, { type: "response.created", response: { id } }],
  ["server", atMs + 100, delta(id, `${id}_item`, ms)],
  ["server", atMs + 200, done(id)],
];
