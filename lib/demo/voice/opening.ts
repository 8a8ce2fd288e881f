import { SAMPLE_RATE } from "../realtime/events.ts";
import { client, PREFIX_MS, SILENCE_MS, server, type TimedEvent } from "../realtime/timed.ts";
import { DESK_INSTRUCTIONS, DESK_TOOL } from "./lines.ts";

export const TRANSCRIPTION_MODEL = "gpt-4o-mini-transcribe";
const LIVES_SECONDS = 3600;

/** What the application wants its session to be. */
export const DESK_SESSION = {
  type: "realtime",
  instructions: DESK_INSTRUCTIONS,
  output_modalities: ["audio"],
  audio: {
    input: {
      format: { type: "audio/pcm", rate: SAMPLE_RATE },
      transcription: { model: TRANSCRIPTION_MODEL },
      turn_detection: {
        type: "server_vad",
        threshold: 0.5,
        prefix_padding_ms: PREFIX_MS,
        silence_duration_ms: SILENCE_MS,
        create_response: true,
        interrupt_response: true,
      },
    },
    output: { format: { type: "audio/pcm", rate: SAMPLE_RATE }, voice: "marin" },
  },
  tools: [DESK_TOOL],
};

interface Opening {
  key: string;
  model: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
}

/** The first words of a session: what the provider made of it, what the application wants, and that it has it. */
export function opening({ key, model, startedAt }: Opening): TimedEvent[] {
  const session = {
    ...DESK_SESSION,
    object: "realtime.session",
    id: `sess_${key}`,
    model,
    expires_at: Math.floor(startedAt / 1000) + LIVES_SECONDS,
  };
  return [
    server(110, { type: "session.created", session }),
    client(130, { type: "session.update", session: DESK_SESSION }),
    server(165, { type: "session.updated", session }),
  ];
}
