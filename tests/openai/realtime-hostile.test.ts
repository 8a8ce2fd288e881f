import { describe, expect, test } from "vitest";
import { decodeSession } from "#lib/openai/sessions.ts";
import type { Said } from "./session-messages.ts";
import { decodeInPieces, messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

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

describe("an error over a socket of Responses", () => {
  const usage = { input_tokens: 10, output_tokens: 4, total_tokens: 14 };
  const create: Said = ["client", 0, { type: "response.create", model: "gpt-4o", input: "One?" }];
  const created: Said = ["server", 10, { type: "response.created", response: { id: "resp_1", model: "gpt-4o" } }];
  const completed: Said = [
    "server",
    90,
    { type: "response.completed", response: { id: "resp_1", model: "gpt-4o", status: "completed", usage, output: [] } },
  ];
  const error = { type: "error", error: { code: "bad", message: "No." } };

  test("that is about a second request leaves the first to its own end", () => {
    const { calls } = decodeTwice([
      create,
      created,
      ["client", 20, { type: "response.create", model: "gpt-4o", input: "Two?" }],
      ["server", 30, error],
      completed,
    ]);
    expect(calls).toMatchObject([
      {
        key: [SESSION_ID, "request", "1"],
        outcome: "failed",
        facts: { error: { code: "bad" }, usage: { source: "none" } },
      },
      {
        key: [SESSION_ID, "resp_1"],
        outcome: "completed",
        facts: { error: null, usage: { source: "reported", inputTokens: 10 } },
      },
    ]);
  });

  test("that an answer outlives costs it nothing", () => {
    const { calls } = decodeTwice([
      create,
      created,
      ["client", 20, { type: "response.steer" }],
      ["server", 30, error],
      completed,
    ]);
    expect(calls).toMatchObject([
      {
        outcome: "completed",
        timings: { durationMs: 90 },
        facts: { error: null, usage: { source: "reported", outputTokens: 4 } },
      },
    ]);
  });

  test("that nothing follows is its end", () => {
    const next: Said[] = [["client", 500, { type: "response.create", model: "gpt-4o", input: "Two?" }]];
    for (const after of [[], next]) {
      const { calls } = decodeTwice([create, created, ["server", 30, error], ...after]);
      expect(calls[0]).toMatchObject({
        key: [SESSION_ID, "resp_1"],
        outcome: "failed",
        timings: { durationMs: 30 },
        facts: { error: { code: "bad" } },
      });
    }
  });
});

function decode(said: readonly Said[], path?: string, end = socketEnd()) {
  return decodeSession(socketStart(path), messagesOf(said), end, SESSION_ID);
}

/** At once, and by a recorder that stops after every message. */
function decodeTwice(said: readonly Said[]) {
  const start = socketStart("/v1/responses");
  const atOnce = decodeSession(start, messagesOf(said), socketEnd(), SESSION_ID);
  expect(decodeInPieces(start, messagesOf(said), socketEnd(), SESSION_ID)).toEqual(atOnce);
  return atOnce;
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
