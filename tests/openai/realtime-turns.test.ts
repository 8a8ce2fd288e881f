import { expect, test } from "vitest";
import { decodeSession } from "#lib/openai/sessions/sessions.ts";
import type { Said } from "./session-messages.ts";
import { messagesOf, socketEnd, socketStart } from "./session-messages.ts";

const MS_20 = { type: "input_audio_buffer.append", audio: "elided:1280" };
const TEXT = { type: "message", role: "user", content: [{ type: "input_text", text: "Hello" }] };

test("someone who holds a button is waited for from the commit, or from the request for an answer if that comes later", () => {
  const { turns } = decode([
    configured({ turn_detection: null }),
    ["client", 1000, MS_20],
    ["client", 1020, MS_20],
    ["client", 1100, { type: "input_audio_buffer.commit" }],
    ["client", 1150, { type: "response.create" }],
    ...answer("r1", 1200, [[1500, 200]]),
    ["client", 5000, MS_20],
    ["client", 5100, { type: "response.create" }],
    ["client", 5200, { type: "input_audio_buffer.commit" }],
    ...answer("r2", 5300, [[5600, 200]]),
  ]);
  expect(turns).toMatchObject([
    { kind: "push_to_talk", inputStartMs: 980, inputEndMs: 1150, latencyMs: 350 },
    { kind: "push_to_talk", inputEndMs: 5100, latencyMs: 500 },
  ]);
});

test("a detector of meaning is waited for from the moment it says that the speech is over", () => {
  const { turns } = decode([
    configured({ turn_detection: { type: "semantic_vad", create_response: true } }),
    ...microphone(0, 3000),
    ["server", 1040, { type: "input_audio_buffer.speech_started", audio_start_ms: 1000, item_id: "i1" }],
    ["server", 3000, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 2000, item_id: "i1" }],
    ...answer("r1", 3100, [[3400, 200]]),
  ]);
  expect(turns).toMatchObject([{ kind: "semantic_vad", inputStartMs: 1000, inputEndMs: 3000, latencyMs: 400 }]);
});

test("where the detector does not ask for the answer, the client's asking counts", () => {
  const { turns } = decode([
    configured({ turn_detection: { type: "server_vad", silence_duration_ms: 200, create_response: false } }),
    ...microphone(0, 2000),
    ["server", 1060, { type: "input_audio_buffer.speech_started", audio_start_ms: 700, item_id: "i1" }],
    ["server", 2000, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 1900, item_id: "i1" }],
    ["client", 2500, { type: "response.create" }],
    ...answer("r1", 2600, [[2900, 200]]),
  ]);
  expect(turns).toMatchObject([{ kind: "push_to_talk", inputEndMs: 2500, latencyMs: 400 }]);
});

test("a turn in writing is waited for from the request, and its first word counts where no audio is asked for", () => {
  const { turns } = decode([
    configured({}, { output_modalities: ["text"] }),
    ["client", 100, { type: "conversation.item.create", item: TEXT }],
    ["client", 120, { type: "response.create" }],
    // The echo comes after the question was asked, and is no question of its own.
    ["server", 150, { type: "conversation.item.added", item: { id: "i1", ...TEXT } }],
    ["server", 160, { type: "response.created", response: { id: "r1" } }],
    ["server", 400, { type: "response.output_text.delta", response_id: "r1", item_id: "o1", delta: "Hi" }],
    ["server", 500, { type: "response.done", response: { id: "r1", status: "completed" } }],
  ]);
  expect(turns).toMatchObject([
    { kind: "text", inputStartMs: 100, inputEndMs: 120, firstTextMs: 400, firstAudioMs: null, latencyMs: 280 },
  ]);
});

test("a model that speaks because nobody does is timed from when the provider lost patience", () => {
  const { turns } = decode([
    ["server", 6000, { type: "input_audio_buffer.timeout_triggered", audio_start_ms: 0, audio_end_ms: 6000 }],
    ...answer("r1", 6010, [[6300, 200]]),
  ]);
  expect(turns).toMatchObject([{ kind: "idle", inputStartMs: null, inputEndMs: 6000, latencyMs: 300 }]);
});

test("the end of speech lies inside of the append that held it", () => {
  const { turns } = decode([
    configured({ turn_detection: { type: "server_vad", silence_duration_ms: 200 } }),
    // Frames of 100 ms; 1050 on the audio clock is the middle of the one sent at 2100.
    ...Array.from(
      { length: 15 },
      (_, i): Said => ["client", 1100 + 100 * i, { type: "input_audio_buffer.append", audio: "elided:6400" }],
    ),
    ["server", 2460, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 1250, item_id: "i1" }],
    ...answer("r1", 2470, [[2550, 200]]),
  ]);
  expect(turns[0]).toMatchObject({ inputEndMs: 2050, latencyMs: 500, problems: [] });
});

test("telephone audio counts eight bytes a millisecond", () => {
  const { session, turns } = decode([
    configured({ format: { type: "audio/pcmu" }, turn_detection: { type: "server_vad", silence_duration_ms: 200 } }),
    // 160 bytes, 20 ms.
    ...Array.from(
      { length: 50 },
      (_, i): Said => ["client", 20 * (i + 1), { type: "input_audio_buffer.append", audio: "elided:216==" }],
    ),
    ["server", 1010, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 1000, item_id: "i1" }],
    ...answer("r1", 1020, [[1300, 200]]),
  ]);
  expect(session.audioInMs).toBe(1000);
  expect(turns[0]).toMatchObject({ inputEndMs: 800, latencyMs: 500 });
});

test("without the audio itself the end of speech is reckoned back from the event, and says so", () => {
  const path = "/v1/realtime?call_id=rtc_1";
  const { turns, session } = decode(
    [
      ["server", 2000, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 1900, item_id: "i1" }],
      ["server", 2050, { type: "response.created", response: { id: "r1" } }],
      ["server", 2300, { type: "output_audio_buffer.started", response_id: "r1" }],
      ["server", 2400, { type: "response.done", response: { id: "r1", status: "completed", usage: spoken(40) } }],
      ["server", 2900, { type: "input_audio_buffer.speech_started", audio_start_ms: 2600, item_id: "i2" }],
      ["server", 2950, { type: "output_audio_buffer.cleared", response_id: "r1" }],
    ],
    path,
  );
  // Forty tokens are two seconds; 650 ms of them were played.
  expect(turns).toMatchObject([
    {
      inputEndMs: 1500,
      firstAudioMs: 2300,
      latencyMs: 800,
      audioMs: 2000,
      bargeIn: "confirmed",
      bargeInMs: 2900,
      reactionMs: 50,
      heardMs: 650,
      wastedMs: 1350,
      problems: ["input_end_estimated", "generated_estimated"],
    },
    { callKey: null, inputStartMs: 2900 },
  ]);
  expect(session).toMatchObject({ transport: "side_channel", providerCallId: "rtc_1", audioInMs: null });
});

test("noise that stops nothing is a false barge-in, and can still be followed by a true one", () => {
  const noise = (atMs: number): Said[] => [
    ["server", atMs, { type: "input_audio_buffer.speech_started", audio_start_ms: atMs, item_id: `n${atMs}` }],
    ["server", atMs + 100, { type: "input_audio_buffer.speech_stopped", audio_end_ms: atMs, item_id: `n${atMs}` }],
  ];
  const first = decode([...asked(0), ...answer("r1", 100, [[400, 3000]]), ...noise(800), ...noise(1200)]);
  expect(first.turns[0]).toMatchObject({ bargeIn: "false", bargeInMs: 1200, wastedMs: 0 });
  expect(first.session).toMatchObject({ bargeIns: 0, falseBargeIns: 2 });

  const second = decode([
    ...asked(0),
    ...answer("r1", 100, [[400, 3000]]),
    ...noise(800),
    ["server", 2000, { type: "input_audio_buffer.speech_started", audio_start_ms: 2000, item_id: "i2" }],
    ["client", 2030, { type: "conversation.item.truncate", item_id: "r1_item", audio_end_ms: 1500 }],
  ]);
  expect(second.turns[0]).toMatchObject({ bargeIn: "confirmed", bargeInMs: 2000, reactionMs: 30, heardMs: 1500 });
  expect(second.session).toMatchObject({ bargeIns: 1, falseBargeIns: 1, wastedMs: 1500 });
});

test("speech after all was heard interrupts nothing", () => {
  const { turns, session } = decode([
    ...asked(0),
    ...answer("r1", 100, [[400, 1000]]),
    ["server", 1500, { type: "input_audio_buffer.speech_started", audio_start_ms: 1200, item_id: "i2" }],
    ["server", 1800, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 1700, item_id: "i2" }],
    ...answer("r2", 1900, [[2000, 1000]]),
  ]);
  expect(turns[0]).toMatchObject({ bargeIn: null, heardMs: 1000, wastedMs: 0 });
  expect(session).toMatchObject({ bargeIns: 0, falseBargeIns: 0 });
});

test("an answer that was stopped without a word about what was heard is reckoned as played from its first audio", () => {
  const { turns } = decode([
    ...asked(0),
    ["server", 100, { type: "response.created", response: { id: "r1" } }],
    ...audio("r1", [
      [400, 1000],
      [500, 1000],
    ]),
    ["server", 1000, { type: "input_audio_buffer.speech_started", audio_start_ms: 700, item_id: "i2" }],
    ["server", 1040, done("r1", "cancelled", "turn_detected")],
  ]);
  // Begun at 400, stopped at 1040.
  expect(turns[0]).toMatchObject({
    bargeIn: "confirmed",
    audioMs: 2000,
    heardMs: 640,
    wastedMs: 1360,
    reactionMs: 40,
    status: "cancelled",
    reason: "turn_detected",
    problems: ["heard_estimated"],
  });
});

test("how soon the answer stopped is by what its player did, even when the provider noticed first", () => {
  const { turns } = decode([
    ...asked(0),
    ["server", 100, { type: "response.created", response: { id: "r1" } }],
    ...audio("r1", [[400, 2000]]),
    ["server", 1000, { type: "input_audio_buffer.speech_started", audio_start_ms: 700, item_id: "i2" }],
    ["server", 1005, done("r1", "cancelled", "turn_detected")],
    ["client", 1060, { type: "conversation.item.truncate", item_id: "r1_item", audio_end_ms: 650 }],
  ]);
  expect(turns[0]).toMatchObject({ bargeIn: "confirmed", reactionMs: 60, heardMs: 650, wastedMs: 1350, problems: [] });
});

test("a player that had played all of it is interrupted in nothing", () => {
  const { turns, session } = decode([
    ...asked(0),
    ...answer("r1", 100, [[400, 1000]]),
    ["server", 1500, { type: "input_audio_buffer.speech_started", audio_start_ms: 1200, item_id: "i2" }],
    ["client", 1510, { type: "conversation.item.truncate", item_id: "r1_item", audio_end_ms: 1000 }],
  ]);
  expect(turns[0]).toMatchObject({ bargeIn: null, heardMs: 1000, wastedMs: 0 });
  expect(session.bargeIns).toBe(0);
});

test("one whose player lags behind is", () => {
  const { turns } = decode([
    ...asked(0),
    ...answer("r1", 100, [[400, 1000]]),
    ["server", 1500, { type: "input_audio_buffer.speech_started", audio_start_ms: 1200, item_id: "i2" }],
    ["client", 1510, { type: "conversation.item.truncate", item_id: "r1_item", audio_end_ms: 900 }],
  ]);
  expect(turns[0]).toMatchObject({ bargeIn: "confirmed", bargeInMs: 1500, heardMs: 900, wastedMs: 100 });
});

test("what is told in writing beforehand is neither a turn nor the beginning of one", () => {
  const { turns } = decode([
    ["client", 100, { type: "conversation.item.create", item: TEXT }],
    ...microphone(0, 2000),
    ["server", 1060, { type: "input_audio_buffer.speech_started", audio_start_ms: 700, item_id: "i1" }],
    ["server", 2000, { type: "input_audio_buffer.speech_stopped", audio_end_ms: 1900, item_id: "i1" }],
    ...answer("r1", 2100, [[2400, 200]]),
    ["client", 9000, { type: "conversation.item.create", item: TEXT }],
  ]);
  expect(turns).toMatchObject([{ kind: "server_vad", inputStartMs: 1000, inputEndMs: 1400 }]);
});

test("a stop button wastes what was not heard, but nobody spoke into it", () => {
  const { turns, session } = decode([
    ...asked(0),
    ["server", 100, { type: "response.created", response: { id: "r1" } }],
    ...audio("r1", [[400, 2000]]),
    ["client", 900, { type: "response.cancel" }],
    ["server", 920, done("r1", "cancelled", "client_cancelled")],
  ]);
  expect(turns[0]).toMatchObject({ bargeIn: null, reactionMs: null, heardMs: 500, wastedMs: 1500 });
  expect(session).toMatchObject({ bargeIns: 0, wastedMs: 1500 });
});

test("who hangs up while the answer plays leaves it unknown how much was heard", () => {
  const { turns } = decode(
    [...asked(0), ...answer("r1", 100, [[400, 3000]])],
    undefined,
    socketEnd({ endAtMs: 1000, ending: "client_aborted" }),
  );
  expect(turns[0]).toMatchObject({ audioMs: 3000, heardMs: null, wastedMs: null });
});

test("two tools in a row are one turn, whose tools' times are summed", () => {
  const call = (id: string, createdMs: number, calledMs: number): Said[] => {
    const item = { id: `${id}_item`, type: "function_call", name: "look_up", call_id: `${id}_call`, arguments: "{}" };
    return [
      ["server", createdMs, { type: "response.created", response: { id } }],
      ["server", calledMs, { type: "response.function_call_arguments.done", response_id: id, call_id: item.call_id }],
      ["server", calledMs + 5, { type: "response.output_item.done", response_id: id, item }],
      ["server", calledMs + 10, { type: "response.done", response: { id, status: "completed", output: [item] } }],
    ];
  };
  const told = (id: string, atMs: number): Said[] => {
    const item = { type: "function_call_output", call_id: `${id}_call`, output: "7" };
    return [
      ["client", atMs, { type: "conversation.item.create", item }],
      ["client", atMs + 1, { type: "response.create" }],
      ["server", atMs + 2, { type: "conversation.item.added", item: { id: `${id}_output`, ...item } }],
    ];
  };
  const { turns, calls } = decode([
    ...asked(0),
    ...call("r1", 100, 400),
    ...told("r1", 600),
    ...call("r2", 700, 900),
    ...told("r2", 1200),
    ...answer("r3", 1300, [[1500, 200]]),
  ]);
  expect(turns).toMatchObject([
    { kind: "tool", toolCalls: 2, modelMs: 400, toolMs: 500, firstAudioMs: 1500, latencyMs: 1500, createdMs: 100 },
  ]);
  expect(turns[0]?.callKey).toEqual(calls[2]?.key);
});

test("an answer beside the conversation is a call and no turn", () => {
  const { turns, calls } = decode([
    ["client", 0, { type: "response.create", response: { conversation: "none", output_modalities: ["text"] } }],
    ["server", 100, { type: "response.created", response: { id: "r1", conversation_id: null } }],
    ["server", 300, { type: "response.done", response: { id: "r1", status: "completed" } }],
  ]);
  expect(calls).toHaveLength(1);
  expect(turns).toEqual([]);
});

function decode(said: Said[], path?: string, end = socketEnd()) {
  return decodeSession(socketStart(path), messagesOf(said), end);
}

function configured(input: object, over: object = {}): Said {
  const session = { type: "realtime", id: "sess_1", model: "gpt-realtime", audio: { input }, ...over };
  return ["server", 0, { type: "session.updated", session }];
}

function microphone(fromMs: number, toMs: number): Said[] {
  return Array.from({ length: (toMs - fromMs) / 20 }, (_, i): Said => ["client", fromMs + 20 * (i + 1), MS_20]);
}

function asked(atMs: number): Said[] {
  return [
    ["client", atMs, { type: "conversation.item.create", item: TEXT }],
    ["client", atMs, { type: "response.create" }],
  ];
}

/** Complete 10 ms after its last audio. */
function answer(id: string, createdMs: number, parts: [atMs: number, ms: number][]): Said[] {
  return [
    ["server", createdMs, { type: "response.created", response: { id } }],
    ...audio(id, parts),
    ["server", (parts.at(-1)?.[0] ?? createdMs) + 10, done(id, "completed", null)],
  ];
}

/** 24 kHz, two bytes a sample: 64 characters of base64 a millisecond. */
const audio = (id: string, parts: [atMs: number, ms: number][]): Said[] =>
  parts.map(([atMs, ms]) => [
    "server",
    atMs,
    { type: "response.output_audio.delta", response_id: id, item_id: `${id}_item`, delta: `elided:${64 * ms}` },
  ]);

function done(id: string, status: string, reason: string | null): object {
  return { type: "response.done", response: { id, status, status_details: reason && { type: status, reason } } };
}

const spoken = (tokens: number): object => ({
  input_tokens: 0,
  output_tokens: tokens,
  total_tokens: tokens,
  output_token_details: { text_tokens: 0, audio_tokens: tokens },
});
