import { expect, test } from "vitest";
import { addMoney } from "#lib/money.ts";
import type { ChildFacts } from "#lib/openai/facts.ts";
import { decodeSession } from "#lib/openai/sessions/sessions.ts";
import { toChildCall } from "#lib/recorder/to-call.ts";
import type { Said } from "./session-messages.ts";
import { messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

const CREATED: Said = ["server", 100, { type: "response.created", response: { id: "resp_1" } }];

test("the official sample is fifty-five fresh and sixty-four cached text tokens, and no more", () => {
  const [call] = decode([CREATED, done(200, { usage: SAMPLE })]).calls;
  expect(
    call?.facts.lines.map(({ direction, modality, cache, quantity }) => [direction, modality, cache, quantity]),
  ).toEqual([
    ["input", "text", "none", 55],
    ["input", "audio", "none", 13],
    ["input", "text", "read", 64],
    ["output", "text", "none", 30],
    ["output", "audio", "none", 91],
  ]);
  expect(call?.facts.problems).toEqual([]);
  const parent = { id: SESSION_ID, origin: { spool: "s", run: "r", seq: 1 }, start: socketStart() };
  const model = "gpt-4o-realtime-preview-2024-12-17";
  const priced = toChildCall(
    parent,
    { ...(call as ChildFacts), startedAtMs: Date.UTC(2025, 1, 1), facts: { ...(call as ChildFacts).facts, model } },
    "default",
  );
  // 55 × 5 + 64 × 2.5 + 13 × 40 + 30 × 20 + 91 × 80 millionths.
  expect(priced.lines.map(({ costUsd }) => costUsd as string).reduce(addMoney)).toBe("0.008835");
});

test("cached tokens without their modality are taken from the text first, and say that this is assumed", () => {
  const { cached_tokens_details: _, ...details } = SAMPLE.input_token_details;
  const [call] = decode([CREATED, done(200, { usage: { ...SAMPLE, input_token_details: details } })]).calls;
  expect(call?.facts.problems).toEqual(["cached_split_assumed"]);
  expect(call?.facts.usage).toMatchObject({ cachedTokens: 64, cachedTextTokens: null, cachedAudioTokens: null });
  expect(call?.facts.lines.filter(({ cache }) => cache === "read")).toMatchObject([{ modality: "text", quantity: 64 }]);
});

test("both spellings of the events are read, and mean the same", () => {
  const say = (text: string, transcript: string, audio: string): Said[] => [
    CREATED,
    ["server", 150, { type: transcript, response_id: "resp_1", item_id: "i", delta: "Hi " }],
    ["server", 160, { type: audio, response_id: "resp_1", item_id: "i", delta: "elided:6400" }],
    ["server", 190, { type: text, response_id: "resp_1", item_id: "j", delta: "there" }],
  ];
  const now = decode(
    say("response.output_text.delta", "response.output_audio_transcript.delta", "response.output_audio.delta"),
  );
  const before = decode(say("response.text.delta", "response.audio_transcript.delta", "response.audio.delta"));
  const known = ({ facts, timings, key }: ChildFacts) => ({ facts, timings, key });
  expect(before.calls.map(known)).toEqual(now.calls.map(known));
  expect(now.calls[0]?.facts).toMatchObject({
    outputAudioMs: 100,
    marks: { firstTextMs: 50, firstAudioMs: 60, firstTokenMs: 50, lastTokenMs: 90, longestGapMs: 30, contentChunks: 3 },
    content: {
      output: [
        { role: "assistant", parts: [{ type: "audio", mediaType: "audio/pcm", bytes: 4800, transcript: "Hi " }] },
        { role: "assistant", parts: [{ type: "text", text: "there" }] },
      ],
    },
  });
});

test("older sessions state formats, detection and modalities without nesting", () => {
  const session = {
    id: "sess_1",
    model: "gpt-4o-realtime-preview-2024-12-17",
    modalities: ["text"],
    input_audio_format: "g711_ulaw",
    turn_detection: null,
    input_audio_transcription: { model: "whisper-1" },
    instructions: "Be brief, and be friendly about it.",
    expires_at: 1_739_287_438,
  };
  const { calls, session: told } = decode([
    ["server", 0, { type: "session.created", session }],
    ["client", 500, { type: "input_audio_buffer.append", audio: "elided:10668==" }],
    ["client", 510, { type: "input_audio_buffer.commit" }],
    ["server", 520, { type: "input_audio_buffer.committed", item_id: "item_1" }],
    ["server", 600, { type: "response.created", response: { id: "resp_1" } }],
    [
      "server",
      700,
      { type: "conversation.item.input_audio_transcription.completed", item_id: "item_1", transcript: "Yes" },
    ],
    done(800, { usage: SAMPLE }),
  ]);
  // 7999 bytes, 8 a millisecond.
  expect(told).toMatchObject({ audioInMs: 999.875, expiresAt: 1_739_287_438_000, providerId: "sess_1" });
  const [written, response] = calls;
  expect(written).toMatchObject({
    key: [SESSION_ID, "transcription", "item_1"],
    endpoint: "realtime_transcription",
    startedAtMs: 1_700_000_000_520,
    timings: { durationMs: 180 },
    // Nothing is stated: whole seconds of what was handed in.
    facts: { model: "whisper-1", usage: { source: "measured", durationSeconds: 1 }, inputAudioMs: 999.875 },
  });
  expect(response?.facts).toMatchObject({
    model: "gpt-4o-realtime-preview-2024-12-17",
    requestModel: "gpt-realtime",
    unit: "Be brief, and be friendly about it.",
  });
});

test("an interruption is by its reason, whatever the status is called", () => {
  const statuses = [
    ["cancelled", "turn_detected", "client_aborted"],
    ["cancelled", "client_cancelled", "client_aborted"],
    ["incomplete", "turn_detected", "client_aborted"],
    ["incomplete", "max_output_tokens", "completed"],
    ["failed", null, "failed"],
    ["completed", null, "completed"],
  ] as const;
  for (const [status, reason, outcome] of statuses) {
    const details = reason && { type: status, reason };
    const [call] = decode([CREATED, done(200, { status, status_details: details, usage: SAMPLE })]).calls;
    expect(call?.outcome).toBe(outcome);
    expect(call?.facts.finishReasons).toEqual(status === "completed" ? [] : [reason ?? status]);
  }
});

test("a response that failed says why", () => {
  const error = { type: "server_error", code: "rate_limit_exceeded", message: "Too many." };
  const [call] = decode([CREATED, done(200, { status: "failed", status_details: { type: "failed", error } })]).calls;
  expect(call?.facts).toMatchObject({ error, usage: { source: "none" }, lines: [] });
});

test("zero tokens for what was heard are an estimate with bounds, by the length of the audio and the words", () => {
  const [call] = decode([
    CREATED,
    [
      "server",
      150,
      { type: "response.output_audio.delta", response_id: "resp_1", item_id: "i", delta: "elided:64000" },
    ],
    done(200, {
      status: "cancelled",
      status_details: { reason: "turn_detected" },
      output: [
        {
          id: "i",
          type: "message",
          role: "assistant",
          content: [{ type: "output_audio", transcript: "Well, you see" }],
        },
      ],
      usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 },
    }),
  ]).calls;
  expect(call?.facts.problems).toEqual(["usage_all_zero"]);
  // One second is twenty tokens; thirteen bytes of text are about four, and at most thirteen.
  expect(call?.facts.usage).toMatchObject({
    source: "estimated",
    inputTokens: null,
    outputTokens: 24,
    outputAudioTokens: 20,
    outputTextTokens: 4,
    bounds: { inputLow: 0, inputHigh: null, outputLow: 0, outputHigh: 43 },
  });
  expect(call?.facts.lines).toMatchObject([
    { modality: "text", quantity: 4, source: "estimated" },
    { modality: "audio", quantity: 20, source: "estimated" },
  ]);
});

test("zero tokens for what was heard elsewhere have no upper bound", () => {
  const { calls } = decodeSession(
    socketStart("/v1/realtime?call_id=rtc_1"),
    messagesOf([
      CREATED,
      done(200, {
        status: "cancelled",
        output: [{ id: "i", type: "message", content: [{ type: "output_audio", transcript: "Well, you see" }] }],
        usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 },
      }),
    ]),
    socketEnd(),
    SESSION_ID,
  );
  expect(calls[0]?.facts).toMatchObject({ outputAudioMs: null, countsFor: "resp_1", inherits: "rtc_1" });
  expect(calls[0]?.facts.usage).toMatchObject({
    outputTokens: 4,
    outputAudioTokens: null,
    bounds: { outputLow: 0, outputHigh: null },
  });
});

test("instructions and input that are given to one response are that response's alone", () => {
  const item = { type: "message", role: "user", content: [{ type: "input_text", text: "Summarise." }] };
  const response = { conversation: "none", instructions: "You write summaries.", input: [item] };
  const { calls } = decode([
    ["server", 0, { type: "session.created", session: { instructions: "Be brief." } }],
    ["client", 50, { type: "response.create", response }],
    CREATED,
    done(200, { usage: SAMPLE }),
    ["server", 300, { type: "response.created", response: { id: "resp_2" } }],
    ["server", 400, { type: "response.done", response: { id: "resp_2", status: "completed", usage: SAMPLE } }],
  ]);
  const texts = calls.map(({ facts }) => facts.content.input.flatMap(({ parts }) => parts));
  expect(texts).toEqual([
    [
      { type: "text", text: "You write summaries." },
      { type: "text", text: "Summarise." },
    ],
    [{ type: "text", text: "Be brief." }],
  ]);
});

test("what was being made when the session ended is recorded as far as it came", () => {
  const said: Said[] = [
    CREATED,
    [
      "server",
      150,
      { type: "response.output_audio.delta", response_id: "resp_1", item_id: "i", delta: "elided:64000" },
    ],
  ];
  const endings = [
    [null, "interrupted"],
    [socketEnd({ ending: "upstream_reset" }), "truncated"],
    [socketEnd({ ending: "client_aborted" }), "client_aborted"],
  ] as const;
  for (const [end, outcome] of endings) {
    const { calls } = decodeSession(socketStart(), messagesOf(said), end, SESSION_ID);
    expect(calls).toMatchObject([
      {
        outcome,
        facts: { usage: { source: "estimated", outputTokens: 20, bounds: { outputLow: 20, outputHigh: null } } },
      },
    ]);
    expect(calls[0]?.timings.durationMs).toBeNull();
  }
});

test("an answer that is told twice is counted once", () => {
  const { calls, session } = decode([CREATED, done(200, { usage: SAMPLE }), done(300, { usage: SAMPLE }), CREATED]);
  expect(calls).toHaveLength(1);
  expect(session.problems).toEqual(["response_repeated"]);
});

test("an answer whose beginning was not heard is recorded, and says so", () => {
  const { calls, turns } = decode([done(300, { usage: SAMPLE })]);
  expect(calls).toMatchObject([{ key: [SESSION_ID, "resp_1"], facts: { problems: ["created_not_seen"] } }]);
  expect(turns).toMatchObject([{ kind: "unknown", inputEndMs: null, latencyMs: null }]);
});

test("what is said of a response counts its bytes, and what led to it the client's", () => {
  const item = { type: "message", role: "user", content: [{ type: "input_text", text: "Who are you?" }] };
  const said: Said[] = [
    ["client", 10, { type: "conversation.item.create", item }],
    ["client", 20, { type: "response.create" }],
    CREATED,
    done(200, { usage: SAMPLE, metadata: { topic: "who" } }),
  ];
  const [call] = decode(said).calls;
  const size = (index: number) => JSON.stringify(said[index]?.[2]).length;
  expect(call).toMatchObject({ requestBytes: size(0) + size(1), responseBytes: size(2) + size(3) });
  expect(call?.facts.content.input).toEqual([{ role: "user", parts: [{ type: "text", text: "Who are you?" }] }]);
});

test("audio that is sent as it is, is kept as a file that plays", () => {
  const samples = Buffer.from(Array.from({ length: 960 }, (_, i) => i % 256));
  const [call] = decode([
    ["client", 10, { type: "input_audio_buffer.append", audio: samples.toString("base64") }],
    ["server", 20, { type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "u" }],
    ["server", 30, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 20, item_id: "u" }],
    [
      "server",
      40,
      {
        type: "conversation.item.added",
        item: { id: "u", type: "message", role: "user", content: [{ type: "input_audio" }] },
      },
    ],
    CREATED,
    [
      "server",
      150,
      {
        type: "response.output_audio.delta",
        response_id: "resp_1",
        item_id: "i",
        delta: samples.subarray(0, 480).toString("base64"),
      },
    ],
    [
      "server",
      160,
      {
        type: "response.output_audio.delta",
        response_id: "resp_1",
        item_id: "i",
        delta: samples.subarray(480).toString("base64"),
      },
    ],
    done(200, { usage: SAMPLE }),
  ]).calls;
  const media = call?.facts.media ?? [];
  const { input, output } = (call as ChildFacts).facts.content;
  expect([...input, ...output].flatMap(({ parts }) => parts)).toMatchObject([
    { type: "audio", media: 0 },
    { type: "audio", media: 1 },
  ]);
  expect(media).toMatchObject([
    { index: 0, direction: "input", mediaType: "audio/wav" },
    { index: 1, direction: "output", mediaType: "audio/wav" },
  ]);
  for (const { bytes } of media) {
    expect(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 8, 16)).toBe("RIFFWAVEfmt ");
    // PCM, one channel, 24,000 samples and 48,000 bytes a second.
    expect([20, 22, 32, 34].map((at) => bytes.readUInt16LE(at))).toEqual([1, 1, 2, 16]);
    expect([4, 24, 28, 40].map((at) => bytes.readUInt32LE(at))).toEqual([996, 24_000, 48_000, 960]);
    expect(bytes.subarray(44)).toEqual(samples);
  }
});

test("audio that is counted and not kept leaves no file behind", () => {
  const [call] = decode([
    CREATED,
    ["server", 150, { type: "response.output_audio.delta", response_id: "resp_1", item_id: "i", delta: "AAAA" }],
    ["server", 160, { type: "response.output_audio.delta", response_id: "resp_1", item_id: "i", delta: "elided:640" }],
    done(200, { usage: SAMPLE }),
  ]).calls;
  expect(call?.facts.media).toEqual([]);
});

const SAMPLE = {
  total_tokens: 253,
  input_tokens: 132,
  output_tokens: 121,
  input_token_details: {
    text_tokens: 119,
    audio_tokens: 13,
    image_tokens: 0,
    cached_tokens: 64,
    cached_tokens_details: { text_tokens: 64, audio_tokens: 0, image_tokens: 0 },
  },
  output_token_details: { text_tokens: 30, audio_tokens: 91 },
};

function done(atMs: number, over: object): Said {
  return [
    "server",
    atMs,
    { type: "response.done", response: { id: "resp_1", status: "completed", output: [], ...over } },
  ];
}

const decode = (said: Said[]) => decodeSession(socketStart(), messagesOf(said), socketEnd(), SESSION_ID);
