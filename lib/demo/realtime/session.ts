import { SAMPLE_RATE, type Way } from "./events.ts";

type Json = Record<string, unknown>;

const objectIn = (value: unknown): Json => (value !== null && typeof value === "object" ? (value as Json) : {});

const FORMAT = { type: "audio/pcm", rate: SAMPLE_RATE };

interface Beginning {
  id: string;
  model: string;
  /** Seconds since the epoch. */
  expiresAt: number;
  transcribes: boolean;
}

/** What a session is until its client says otherwise. */
export const newSession = ({ id, model, expiresAt, transcribes }: Beginning): Json => ({
  type: "realtime",
  object: "realtime.session",
  id,
  model,
  output_modalities: ["audio"],
  instructions: "",
  tools: [],
  audio: {
    input: {
      format: FORMAT,
      transcription: transcribes ? { model: "gpt-4o-mini-transcribe" } : null,
      turn_detection: { type: "server_vad", prefix_padding_ms: 300, silence_duration_ms: 200 },
    },
    output: { format: FORMAT, voice: "alloy" },
  },
  expires_at: expiresAt,
});

/** A session with what its client wants of it. */
export function updated(session: Json, wanted: unknown): Json {
  const { audio: asked, ...rest } = objectIn(wanted);
  const [audio, more] = [objectIn(session.audio), objectIn(asked)];
  return {
    ...session,
    ...rest,
    audio: {
      input: { ...objectIn(audio.input), ...objectIn(more.input) },
      output: { ...objectIn(audio.output), ...objectIn(more.output) },
    },
  };
}

/** What of a session its conversation goes by. */
export function manners(session: Json) {
  const input = objectIn(objectIn(session.audio).input);
  const detection = input.turn_detection;
  const { prefix_padding_ms, silence_duration_ms, create_response, interrupt_response } = objectIn(detection);
  const tools = Array.isArray(session.tools) ? session.tools.map((tool) => objectIn(tool).name) : [];
  return {
    listens: detection !== null,
    prefixMs: numberOr(prefix_padding_ms, 300),
    silenceMs: numberOr(silence_duration_ms, 500),
    answers: session.type !== "transcription" && create_response !== false,
    isInterrupted: interrupt_response !== false,
    transcribes: input.transcription !== null && input.transcription !== undefined,
    hasTool: (name: string) => tools.includes(name),
    way: wayOf(session.output_modalities) ?? "audio",
    instructions: typeof session.instructions === "string" ? session.instructions : "",
  };
}

/** null: not said. */
export const wayOf = (modalities: unknown): Way | null =>
  Array.isArray(modalities) ? (modalities.includes("audio") ? "audio" : "text") : null;

const numberOr = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);
