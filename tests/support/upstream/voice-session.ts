import { expired, SAMPLE_RATE, transcribed, truncated, usage } from "#lib/demo/realtime/events.ts";
import {
  answer,
  client,
  done,
  finished,
  microphone,
  PREFIX_MS,
  SILENCE_MS,
  server,
  speech,
  type TimedEvent,
  toolCall,
  truncate,
} from "#lib/demo/realtime/timed.ts";

/** The model of the session: per million tokens 5 text in, 2.5 cached (text and audio), 40 audio in, 20 text out, 80 audio out. */
export const VOICE_MODEL = "gpt-4o-realtime-preview-2024-12-17";
/** How the provider closes the first connection, after its last event. */
export const VOICE_CLOSE = { code: 1001, reason: "session expired" };
/**
 * One conversation by voice, as two connections: the first expires, the second takes it up. Server VAD with 200 ms of silence and 300 ms of
 * padding. The microphone is always on: 20 ms every 20 ms, so that the audio clock is the connection's time less 100 ms. Answers are made four
 * times as fast as they are heard: 200 ms of audio every 50 ms.
 *
 *   first, ms     user speaks     answer's audio
 *   turn 0        1000–2500       2820, 1600 ms
 *   turn 1        5000–6000       6320, 3000 ms   cut at 7090 (server, turn_detected)
 *   turn 2        7000–8500       8820, 2000 ms   complete at 9300, cut while it plays at 10100
 *   turn 3        10000–11000     12400, 1200 ms  a tool is called in between (11500–12120)
 *   turn 4        14000–15000     15320, 3200 ms  cut at 16110 (client, client_cancelled)
 *   turn 5        16000–17000     17320, 1000 ms
 *   then          19000: session_expired
 */
export function voiceSession(): TimedEvent[] {
  const answerOf = (index: number) => ({ response: `resp_A${index}`, item: `item_A${index}_answer` });
  const weather = {
    response: "resp_A3",
    callId: "call_A3",
    name: "get_weather",
    arguments: '{"city":"Oslo"}',
  };
  const second = { response: "resp_A3b", item: "item_A3b_answer" };
  return finished("A", [
    ...opening("sess_voice_A"),
    ...microphone(18_900, 20),

    ...speech("item_A0", 1000, 2500),
    ...answer(answerOf(0), { createdMs: 2730, firstMs: 2820, parts: times(8, 200), text: "Hello! How can I help?" }),
    done(3200, answerOf(0), "completed", usage([120, 0], [15, 0], 20, 32)),
    server(3250, transcribed("item_A0", "Hello, is anybody there?", { type: "duration", seconds: 2 })),

    ...speech("item_A1", 5000, 6000),
    ...answer(answerOf(1), {
      createdMs: 6230,
      firstMs: 6320,
      parts: times(15, 200),
      text: "There once was a king who",
    }),
    // Turn 2 begins at 7000.
    truncate(7090, answerOf(1).item, 760),
    done(7100, answerOf(1), "turn_detected", usage([140, 64], [57, 0], 30, 60)),
    server(7110, truncated(answerOf(1).item, 760)),

    ...speech("item_A2", 7000, 8500),
    ...answer(answerOf(2), { createdMs: 8730, firstMs: 8820, parts: times(10, 200), text: "I shall be brief, then." }),
    done(9300, answerOf(2), "completed", usage([200, 128], [100, 64], 25, 40)),
    // Turn 3 begins at 10000.
    truncate(10_100, answerOf(2).item, 1270),
    server(10_115, truncated(answerOf(2).item, 1270)),

    ...speech("item_A3", 10_000, 11_000),
    ...toolCall(weather, 11_230, 11_500, usage([260, 192], [110, 64], 18, 0)),
    client(12_120, {
      type: "conversation.item.create",
      item: { type: "function_call_output", call_id: "call_A3", output: '{"celsius":7}' },
    }),
    client(12_125, { type: "response.create" }),
    ...answer(second, { createdMs: 12_150, firstMs: 12_400, parts: times(6, 200), text: "It is seven degrees." }),
    done(12_700, second, "completed", usage([300, 256], [110, 64], 22, 24)),

    ...speech("item_A4", 14_000, 15_000),
    ...answer(answerOf(4), { createdMs: 15_230, firstMs: 15_320, parts: times(16, 200), text: "Tomorrow it will be" }),
    // Turn 5 begins at 16000.
    client(16_110, { type: "response.cancel", response_id: answerOf(4).response }),
    truncate(16_112, answerOf(4).item, 780),
    done(16_130, answerOf(4), "client_cancelled", usage([330, 256], [144, 64], 35, 64)),
    server(16_140, truncated(answerOf(4).item, 780)),

    ...speech("item_A5", 16_000, 17_000),
    ...answer(answerOf(5), { createdMs: 17_230, firstMs: 17_320, parts: times(5, 200), text: "As you wish." }),
    done(17_550, answerOf(5), "completed", usage([380, 320], [154, 128], 15, 20)),

    server(19_000, expired()),
  ]);
}

/** The second connection: what was said is told as text, then one more turn; the client closes it with 1000 at its end. */
export function voiceSessionResumed(): TimedEvent[] {
  const told = { response: "resp_B0", item: "item_B0_answer" };
  return finished("B", [
    ...opening("sess_voice_B"),
    client(70, {
      type: "conversation.item.create",
      item: { type: "message", role: "user", content: [{ type: "input_text", text: "We spoke about the weather." }] },
    }),
    ...microphone(3400, 20),
    ...speech("item_B0", 1000, 2000),
    ...answer(told, { createdMs: 2230, firstMs: 2320, parts: [...times(5, 200), 150], text: "Yes, seven degrees." }),
    done(2700, told, "completed", usage([313, 256], [476, 384], 9, 23)),
  ]);
}

/**
 * What must be found, computed by hand from the table above. `inputEndMs`: the end of speech, from `audio_end_ms` less the silence.
 * `usd` from the prices at VOICE_MODEL, millionths: turn 0 = 120×5 + 15×40 + 20×20 + 32×80 = 4160, and so on.
 * `wastedUsd`: wasted milliseconds / 50 × 80 millionths.
 */
export const VOICE_TURNS = [
  { inputEndMs: 2500, firstAudioMs: 2820, latencyMs: 320, audioMs: 1600, usd: ["0.00416"], bargeIn: null },
  {
    inputEndMs: 6000,
    firstAudioMs: 6320,
    latencyMs: 320,
    audioMs: 3000,
    usd: ["0.00822"],
    bargeIn: { atMs: 7060, heardMs: 760, wastedMs: 2240, wastedUsd: "0.003584", reactionMs: 30 },
  },
  {
    inputEndMs: 8500,
    firstAudioMs: 8820,
    latencyMs: 320,
    audioMs: 2000,
    usd: ["0.00598"],
    bargeIn: { atMs: 10_060, heardMs: 1270, wastedMs: 730, wastedUsd: "0.001168", reactionMs: 40 },
  },
  /** Until the call's arguments were whole 500 ms, the tool 620 ms, then 275 ms from `response.create` to the first audio. */
  {
    inputEndMs: 11_000,
    firstAudioMs: 12_400,
    latencyMs: 1400,
    audioMs: 1200,
    usd: ["0.00318", "0.00522"],
    bargeIn: null,
  },
  {
    inputEndMs: 15_000,
    firstAudioMs: 15_320,
    latencyMs: 320,
    audioMs: 3200,
    usd: ["0.01019"],
    bargeIn: { atMs: 16_060, heardMs: 780, wastedMs: 2420, wastedUsd: "0.003872", reactionMs: 50 },
  },
  { inputEndMs: 17_000, firstAudioMs: 17_320, latencyMs: 320, audioMs: 1000, usd: ["0.00436"], bargeIn: null },
] as const;

/** Of the first connection as a whole, and the one turn of the second. The transcription of turn 0 is apart: two seconds of whisper-1, $0.0002. */
export const VOICE_TOTALS = {
  usd: "0.04131",
  wastedMs: 5390,
  wastedUsd: "0.008624",
  audioInMs: 18_800,
  audioOutMs: 12_000,
  transcriptionUsd: "0.0002",
  resumed: { inputEndMs: 2000, firstAudioMs: 2320, latencyMs: 320, audioMs: 1150, usd: "0.007585", audioInMs: 3300 },
} as const;

const times = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

function opening(id: string): TimedEvent[] {
  const format = { type: "audio/pcm", rate: SAMPLE_RATE };
  const asked = {
    type: "realtime",
    instructions: "Be brief.",
    output_modalities: ["audio"],
    audio: {
      input: {
        format,
        transcription: { model: "whisper-1" },
        turn_detection: {
          type: "server_vad",
          threshold: 0.5,
          prefix_padding_ms: PREFIX_MS,
          silence_duration_ms: SILENCE_MS,
          create_response: true,
          interrupt_response: true,
        },
      },
      output: { format, voice: "alloy" },
    },
    tools: [
      {
        type: "function",
        name: "get_weather",
        description: "Current weather",
        parameters: { type: "object", properties: { city: { type: "string" } } },
      },
    ],
  };
  const session = { ...asked, object: "realtime.session", id, model: VOICE_MODEL, expires_at: 1_785_217_650 };
  return [
    server(20, { type: "session.created", session }),
    client(40, { type: "session.update", session: asked }),
    server(60, { type: "session.updated", session }),
  ];
}
