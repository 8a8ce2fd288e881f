import { expect, test } from "vitest";
import { decodeSession, sessionReaderOf } from "#lib/openai/sessions/sessions.ts";
import type { Said } from "./session-messages.ts";
import { decodeInPieces, messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

/** 100 ms. */
const APPEND = { audio: "elided:6400" };

test.each([
  ["/v1/realtime?model=gpt-realtime", "realtime", "websocket"],
  ["/v1/realtime?call_id=rtc_1", "realtime", "side_channel"],
  ["/v1/realtime?intent=transcription", "transcription", "websocket"],
  ["/openai/realtime?api-version=2025-04-01-preview&deployment=voice", "realtime", "websocket"],
  ["/openai/v1/realtime?model=voice", "realtime", "websocket"],
  ["/v1/realtime/translations?model=gpt-realtime-translate", "translation", "websocket"],
  ["/v1/responses", "responses", "websocket"],
  ["/v1/something/new", "other", "websocket"],
])("a socket to %s is a session of kind %s, over a %s", (path, kind, transport) => {
  expect(decode([], path).session).toMatchObject({ kind, transport });
});

test("an exchange by HTTP is no session", () => {
  expect(sessionReaderOf({ ...socketStart(), kind: "http" })).toBeNull();
});

test("a deployment is the model that was asked for", () => {
  const { calls } = decode(
    [
      ["server", 1, { type: "response.created", response: { id: "r" } }],
      ["server", 2, { type: "response.done", response: { id: "r", status: "completed" } }],
    ],
    "/openai/realtime?api-version=2025-04-01-preview&deployment=voice",
  );
  expect(calls[0]?.facts).toMatchObject({ requestModel: "voice", model: "voice" });
});

test("a session that transcribes is one call for each piece of speech, at what each states", () => {
  const session = {
    type: "transcription",
    id: "sess_t",
    audio: { input: { transcription: { model: "gpt-4o-transcribe" }, turn_detection: { type: "server_vad" } } },
  };
  const usage = {
    type: "tokens",
    input_tokens: 22,
    output_tokens: 5,
    total_tokens: 27,
    input_token_details: { text_tokens: 2, audio_tokens: 20 },
  };
  const place = { item_id: "item_1", content_index: 0 };
  const {
    calls,
    turns,
    session: told,
  } = decode(
    [
      ["server", 0, { type: "session.created", session }],
      ["client", 100, { type: "input_audio_buffer.append", ...APPEND }],
      ["server", 110, { type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "item_1" }],
      ["server", 140, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 100, item_id: "item_1" }],
      ["server", 150, { type: "input_audio_buffer.committed", item_id: "item_1" }],
      ["server", 250, { type: "conversation.item.input_audio_transcription.delta", ...place, delta: "Good " }],
      [
        "server",
        300,
        { type: "conversation.item.input_audio_transcription.completed", ...place, transcript: "Good morning.", usage },
      ],
      [
        "server",
        310,
        { type: "conversation.item.input_audio_transcription.completed", ...place, transcript: "Good morning.", usage },
      ],
    ],
    "/v1/realtime?intent=transcription",
  );
  expect(calls).toHaveLength(1);
  expect(calls[0]).toMatchObject({
    key: [SESSION_ID, "transcription", "item_1"],
    endpoint: "realtime_transcription",
    startedAtMs: 1_700_000_000_150,
    outcome: "completed",
    timings: { durationMs: 150 },
    facts: {
      model: "gpt-4o-transcribe",
      marks: { firstTextMs: 100 },
      usage: { source: "reported", inputAudioTokens: 20, outputTokens: 5 },
      content: { output: [{ parts: [{ type: "text", text: "Good morning." }] }] },
    },
  });
  expect(calls[0]?.facts.lines).toMatchObject([
    { direction: "input", modality: "text", quantity: 2 },
    { direction: "input", modality: "audio", quantity: 20 },
    { direction: "output", modality: "text", quantity: 5 },
  ]);
  expect(turns).toEqual([]);
  expect(told).toMatchObject({ kind: "transcription", turns: 0, audioInMs: 100 });
});

test("a session that transcribes and never states what it used is billed by the audio that was sent", () => {
  const session = { type: "transcription", audio: { input: { transcription: { model: "gpt-realtime-whisper" } } } };
  const { calls } = decode(
    [
      ["server", 0, { type: "session.created", session }],
      ...Array.from(
        { length: 17 },
        (_, i): Said => ["client", 100 * i, { type: "input_audio_buffer.append", ...APPEND }],
      ),
      [
        "server",
        1800,
        { type: "conversation.item.input_audio_transcription.completed", item_id: "i", transcript: "Hm." },
      ],
    ],
    "/v1/realtime?intent=transcription",
  );
  expect(calls).toMatchObject([
    { key: [SESSION_ID, "transcription", "i"], facts: { usage: { source: "none" }, lines: [] } },
    {
      key: [SESSION_ID, "session"],
      endpoint: "realtime_transcription",
      facts: { model: "gpt-realtime-whisper", usage: { source: "measured", durationSeconds: 1.7 }, inputAudioMs: 1700 },
    },
  ]);
  expect(calls[1]?.facts.lines).toMatchObject([
    { direction: "input", modality: "audio", unit: "second", quantity: 1.7 },
  ]);
});

test("a session that translates is one call, by the length of what was sent", () => {
  const { calls, session } = decode(
    [
      ["server", 0, { type: "session.created", session: { id: "sess_x", model: "gpt-realtime-translate" } }],
      ...Array.from(
        { length: 20 },
        (_, i): Said => ["client", 100 * i, { type: "session.input_audio_buffer.append", ...APPEND }],
      ),
      ["server", 900, { type: "session.input_transcript.delta", delta: "Guten Tag." }],
      ["server", 1000, { type: "session.output_transcript.delta", delta: "Good day." }],
      ["server", 1100, { type: "session.output_audio.delta", delta: "elided:64000" }],
      ["client", 2100, { type: "session.close" }],
      ["server", 2110, { type: "session.closed" }],
    ],
    "/v1/realtime/translations?model=gpt-realtime-translate",
  );
  expect(calls).toMatchObject([
    {
      key: [SESSION_ID, "session"],
      endpoint: "realtime_translations",
      startedAtMs: 1_700_000_000_000,
      outcome: "completed",
      facts: {
        model: "gpt-realtime-translate",
        usage: { source: "measured", durationSeconds: 2 },
        inputAudioMs: 2000,
        outputAudioMs: 1000,
        marks: { firstTextMs: 1000, firstAudioMs: 1100 },
        content: {
          input: [{ parts: [{ type: "audio", bytes: 96_000, transcript: "Guten Tag." }] }],
          output: [{ parts: [{ type: "audio", bytes: 48_000, transcript: "Good day." }] }],
        },
      },
    },
  ]);
  expect(session).toMatchObject({ kind: "translation", audioInMs: 2000, audioOutMs: 1000, turns: 0 });
});

test("responses over a socket are read as their stream would be, each in its lane", () => {
  const usage = { input_tokens: 10, output_tokens: 4, total_tokens: 14, input_tokens_details: { cached_tokens: 0 } };
  const whole = (id: string, text: string) => ({
    id,
    model: "gpt-4o-2024-08-06",
    status: "completed",
    service_tier: "default",
    output: [{ id: `${id}_m`, type: "message", role: "assistant", content: [{ type: "output_text", text }] }],
    usage,
  });
  const said: Said[] = [
    [
      "client",
      100,
      { type: "response.create", stream_id: "a", model: "gpt-4o", input: "One?", metadata: { topic: "one" } },
    ],
    ["client", 110, { type: "response.create", stream_id: "b", model: "gpt-4o", input: "Two?" }],
    ["server", 200, { type: "response.created", stream_id: "b", response: { id: "resp_b", status: "in_progress" } }],
    ["server", 210, { type: "response.created", stream_id: "a", response: { id: "resp_a", status: "in_progress" } }],
    [
      "server",
      300,
      { type: "response.output_text.delta", stream_id: "a", output_index: 0, item_id: "resp_a_m", delta: "Fir" },
    ],
    [
      "server",
      310,
      { type: "response.output_text.delta", stream_id: "b", output_index: 0, item_id: "resp_b_m", delta: "Second" },
    ],
    [
      "server",
      350,
      { type: "response.output_text.delta", stream_id: "a", output_index: 0, item_id: "resp_a_m", delta: "st" },
    ],
    ["server", 400, { type: "response.completed", stream_id: "a", response: whole("resp_a", "First") }],
    ["server", 410, { type: "response.completed", stream_id: "a", response: whole("resp_a", "First") }],
    ["client", 500, { type: "response.create", stream_id: "a", model: "gpt-4o", input: "Three?" }],
    [
      "server",
      550,
      { type: "error", stream_id: "a", error: { type: "invalid_request_error", code: "bad", message: "No." } },
    ],
  ];
  const { calls, session } = decode(said, "/v1/responses");
  expect(calls).toMatchObject([
    {
      key: [SESSION_ID, "resp_a"],
      endpoint: "responses",
      startedAtMs: 1_700_000_000_100,
      outcome: "completed",
      timings: { durationMs: 300 },
      facts: {
        requestModel: "gpt-4o",
        model: "gpt-4o-2024-08-06",
        serviceTier: "default",
        responseId: "resp_a",
        hints: { metadata: { topic: "one" } },
        marks: { firstTextMs: 200, longestGapMs: 50, contentChunks: 2 },
        usage: { source: "reported", inputTokens: 10, outputTokens: 4 },
        content: { input: [{ parts: [{ text: "One?" }] }], output: [{ parts: [{ text: "First" }] }] },
        problems: [],
      },
    },
    {
      key: [SESSION_ID, "request", "2"],
      outcome: "failed",
      facts: { error: { code: "bad", message: "No." }, usage: { source: "none" }, requestModel: "gpt-4o" },
    },
    {
      key: [SESSION_ID, "resp_b"],
      outcome: "truncated",
      facts: {
        content: { output: [{ parts: [{ text: "Second" }] }] },
        usage: { source: "estimated", outputTokens: 2, bounds: { outputLow: 1, outputHigh: null } },
      },
    },
  ]);
  expect(session).toMatchObject({ kind: "responses", model: "gpt-4o-2024-08-06", errors: 1, turns: 0 });
  expect(session.problems).toEqual(["response_repeated"]);
  expect(decodeInPieces(socketStart("/v1/responses"), messagesOf(said), socketEnd(), SESSION_ID)).toEqual({
    calls,
    turns: [],
    session,
  });
});

test("warming up costs what is stated", () => {
  const usage = { input_tokens: 2000, output_tokens: 0, total_tokens: 2000 };
  const { calls } = decode(
    [
      ["client", 100, { type: "response.create", generate: false, model: "gpt-4o", input: "A long text" }],
      ["server", 200, { type: "response.created", response: { id: "resp_w" } }],
      [
        "server",
        210,
        {
          type: "response.completed",
          response: { id: "resp_w", model: "gpt-4o", status: "completed", output: [], usage },
        },
      ],
    ],
    "/v1/responses",
  );
  expect(calls[0]?.facts.lines).toMatchObject([{ direction: "input", modality: "text", quantity: 2000 }]);
});

test.each([
  [socketEnd({ socket: closedBy("client") }), "client_closed"],
  [socketEnd({ socket: closedBy("server") }), "server_closed"],
  [socketEnd({ socket: closedBy("proxy"), ending: "interrupted" }), "stopped"],
  [socketEnd({ ending: "client_aborted" }), "client_closed"],
  [socketEnd({ ending: "upstream_reset" }), "reset"],
  [null, "interrupted"],
])("who ended it is told, whatever the socket was for", (end, reason) => {
  for (const path of ["/v1/realtime", "/v1/responses", "/v1/other"])
    expect(decodeSession(socketStart(path), [], end).session.endReason).toBe(reason);
});

test("any other socket is counted, its binary messages too", () => {
  const start = socketStart("/v1/other");
  const messages = [
    ...messagesOf([["client", 1, "hello"]]),
    { from: "server" as const, atMs: 2, bytes: 100, text: null },
  ];
  expect(decodeSession(start, messages, null).session).toMatchObject({
    clientBytes: 5,
    clientMessages: 1,
    serverBytes: 100,
    serverMessages: 1,
    problems: [],
  });
});

function closedBy(who: "client" | "server" | "proxy") {
  return { closeCode: 1000, closedBy: who, clientBytes: 0, upstreamBytes: 0 };
}

const decode = (said: Said[], path: string) =>
  decodeSession(socketStart(path), messagesOf(said), socketEnd(), SESSION_ID);
