import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createConversation, type Reply } from "#lib/demo/realtime/conversation.ts";
import { loudnessEars } from "#lib/demo/realtime/ears.ts";
import { BYTES_PER_MS, type RealtimeEvent } from "#lib/demo/realtime/events.ts";
import { createMeter } from "#lib/demo/realtime/meter.ts";
import { splitBytes } from "#tests/support/split.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Every other sample up and down: as loud as it is high. */
function sound(ms: number, height: number): Buffer {
  const pcm = Buffer.alloc(ms * BYTES_PER_MS);
  for (let at = 0; at < pcm.length; at += 2) pcm.writeInt16LE(at % 4 ? height : -height, at);
  return pcm;
}

const SILENCE_MS = 200;
/** A click, a sentence with a pause for breath in it, and a word. */
const SPEECH = Buffer.concat([
  ...[sound(400, 0), sound(40, 9000), sound(560, 0)],
  ...[sound(800, 3000), sound(180, 100), sound(620, 3000), sound(500, 100)],
  ...[sound(200, 5000), sound(300, 0)],
]);

test("speech is what is loud for longer than a click, and is over after the silence that was asked for", () => {
  expect(loudnessEars().hear(SPEECH, SILENCE_MS)).toEqual([
    { kind: "started", atMs: 1000 },
    { kind: "stopped", atMs: 2600 },
    { kind: "started", atMs: 3100 },
    { kind: "stopped", atMs: 3300 },
  ]);
});

test("a quiet room is no speech, and a shorter silence ends a sentence where breath is drawn", () => {
  expect(loudnessEars().hear(sound(5000, 500), SILENCE_MS)).toEqual([]);
  expect(
    loudnessEars()
      .hear(SPEECH, 160)
      .filter(({ kind }) => kind === "stopped"),
  ).toHaveLength(3);
});

test("ears hear the same however the audio is cut", () => {
  const whole = loudnessEars().hear(SPEECH, SILENCE_MS);
  for (const split of [{ every: 961 }, { seed: 1 }, { seed: 2 }]) {
    const ears = loudnessEars();
    expect(splitBytes(SPEECH, split).flatMap((piece) => ears.hear(piece, SILENCE_MS))).toEqual(whole);
  }
});

test("a meter bills the whole conversation each time, all before the last answer from the cache in steps of 64", () => {
  const meter = createMeter("x".repeat(400));
  meter.heard(3000);
  // 100 of instructions, 30 of speech; 10 of text and 40 of audio out.
  expect(meter.respond("y".repeat(40), 2000)).toMatchObject({
    input_tokens: 130,
    output_tokens: 50,
    input_token_details: { text_tokens: 100, audio_tokens: 30, cached_tokens: 0 },
  });
  meter.forget(1000);
  meter.heard(5000);
  // 110 of text; 30 + 40 - 20 + 50 of audio.
  expect(meter.respond("z", 0)).toMatchObject({
    input_tokens: 210,
    total_tokens: 211,
    input_token_details: {
      text_tokens: 110,
      audio_tokens: 100,
      cached_tokens_details: { text_tokens: 64, audio_tokens: 0 },
    },
  });
  expect(meter.respond("", 0)).toMatchObject({
    input_token_details: { cached_tokens_details: { text_tokens: 64, audio_tokens: 64 } },
  });
});

function talk(replies: readonly Reply[]) {
  const said: RealtimeEvent[] = [];
  let next = 0;
  const conversation = createConversation(
    {
      ears: loudnessEars(),
      reply: () => replies[next++ % replies.length] as Reply,
      audioMs: 1000,
      firstAudioAfterMs: 300,
      paceMs: 50,
    },
    (event) => said.push(event),
  );
  const speak = (pcm: Buffer) =>
    conversation.take({ type: "input_audio_buffer.append", audio: pcm.toString("base64") });
  const types = () => said.splice(0).map(({ type }) => type);
  return { conversation, said, speak, types };
}

test("who speaks is answered by voice, and who speaks into the answer ends it", () => {
  const { conversation, said, speak, types } = talk([{ said: "Yes." }]);
  conversation.take({ type: "session.update", session: { type: "realtime", instructions: "Be brief." } });
  speak(sound(1000, 3000));
  speak(sound(300, 0));
  expect(types()).toEqual(expect.arrayContaining(["input_audio_buffer.speech_stopped", "response.created"]));
  vi.advanceTimersByTime(300);
  expect(types()).toEqual(["response.output_audio_transcript.delta", "response.output_audio.delta"]);
  vi.advanceTimersByTime(50);
  expect(types()).toEqual(["response.output_audio.delta"]);
  speak(sound(100, 3000));
  expect(said.map(({ type }) => type)).toEqual(["response.done", "input_audio_buffer.speech_started"]);
  expect(said[0]).toMatchObject({
    response: {
      status: "cancelled",
      status_details: { reason: "turn_detected" },
      // Two deltas of 200 ms.
      usage: { output_token_details: { audio_tokens: 8 } },
    },
  });
  said.length = 0;
  vi.advanceTimersByTime(10_000);
  expect(said).toEqual([]);
});

test("nobody is listened to, answered or interrupted who asked not to be", () => {
  const { conversation, speak, types } = talk([{ said: "Yes." }]);
  const asking = (turn_detection: object | null) =>
    conversation.take({ type: "session.update", session: { audio: { input: { turn_detection } } } });
  asking(null);
  speak(SPEECH);
  expect(types()).toEqual(["session.created", "session.updated"]);
  asking({ type: "server_vad", create_response: false });
  speak(sound(1000, 3000));
  speak(sound(600, 0));
  expect(types()).not.toContain("response.created");
  asking({ type: "server_vad", interrupt_response: false });
  speak(sound(1000, 3000));
  speak(sound(600, 0));
  vi.advanceTimersByTime(310);
  types();
  speak(sound(100, 3000));
  expect(types()).toEqual(["input_audio_buffer.speech_started"]);
  vi.advanceTimersByTime(1000);
  expect(types().at(-1)).toBe("response.done");
});

test("a function is called only where the session has it, and its output is followed by the answer", () => {
  const tool = { name: "find_room", arguments: '{"nights":2}' };
  const { conversation, said, types } = talk([{ said: "A double room.", tool }]);
  const ask = () => {
    types();
    conversation.take({ type: "response.create" });
    vi.advanceTimersByTime(2000);
    return said.findLast(({ type }) => type === "response.done") as RealtimeEvent;
  };
  expect(ask()).toMatchObject({ response: { output: [{ type: "message" }] } });
  conversation.take({ type: "session.update", session: { tools: [{ type: "function", name: "find_room" }] } });
  expect(ask()).toMatchObject({ response: { output: [{ type: "function_call", name: "find_room" }] } });
  expect(ask()).toMatchObject({ response: { output: [{ type: "message" }] } });
});

test("who asks for text gets all of it, in pieces", () => {
  const words = "A table for four at half past eight.";
  const { conversation, said } = talk([{ said: words }]);
  conversation.take({ type: "response.create", response: { output_modalities: ["text"] } });
  vi.advanceTimersByTime(2000);
  const deltas = said.filter(({ type }) => type === "response.output_text.delta");
  expect(deltas.map(({ delta }) => delta).join("")).toBe(words);
  expect(deltas).toHaveLength(5);
  expect(said.at(-1)).toMatchObject({
    response: {
      status: "completed",
      output: [{ content: [{ type: "output_text", text: words }] }],
      usage: { output_tokens: 9, output_token_details: { audio_tokens: 0 } },
    },
  });
  expect(said.some(({ type }) => type.includes("audio"))).toBe(false);
});

test("a second answer is refused while one is made, and what nobody knows is named", () => {
  const { conversation, said } = talk([{ said: "Yes." }]);
  conversation.take({ type: "response.create" });
  conversation.take({ type: "response.create" });
  expect(said.at(-1)).toMatchObject({ error: { code: "conversation_already_has_active_response" } });
  conversation.take({ type: "session.sing", event_id: "event_7" });
  expect(said.at(-1)).toMatchObject({ type: "error", error: { code: "unknown_event", event_id: "event_7" } });
  conversation.stop();
});
