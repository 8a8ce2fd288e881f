import type { JsonObject } from "../bodies/json.ts";
import { asArray, asObject, asText, elideFiles, objectsIn } from "../bodies/json.ts";
import { withoutCredentials } from "../export/without-credentials.ts";
import type { AudioFormat } from "./realtime-audio.ts";
import { PCM_24K } from "./realtime-audio.ts";

/** What a session has been told to be, as far as it says what is measured, priced or kept. */
export interface RealtimeConfig {
  model: string | null;
  instructions: string | null;
  tools: unknown[];
  /** Voice, turn detection and the like. */
  parameters: Record<string, unknown>;
  input: AudioFormat;
  output: AudioFormat;
  vad: "server_vad" | "semantic_vad" | null;
  silenceMs: number;
  prefixMs: number;
  /** The end of speech alone makes the model answer. */
  answersItself: boolean;
  /** Audio is asked for, so that text alone is not the answer yet. */
  speaks: boolean;
  transcriptionModel: string | null;
  promptId: string | null;
  promptVersion: string | null;
}

/** The provider's defaults, until it states a session's own. */
export const defaultConfig = (model: string | null): RealtimeConfig => ({
  model,
  instructions: null,
  tools: [],
  parameters: {},
  input: PCM_24K,
  output: PCM_24K,
  vad: "server_vad",
  silenceMs: 500,
  prefixMs: 300,
  answersItself: true,
  speaks: true,
  transcriptionModel: null,
  promptId: null,
  promptVersion: null,
});

/** Takes what a session object states; names and nesting are those of either version of the interface. */
export function readConfig(config: RealtimeConfig, session: JsonObject): void {
  const audio = asObject(session.audio);
  const input = asObject(audio?.input);
  config.model = asText(session.model) ?? config.model;
  if ("instructions" in session) config.instructions = asText(session.instructions)?.slice(0, TEXT_MAX) ?? null;
  if (Array.isArray(session.tools)) config.tools = readTools(session.tools);
  config.parameters = readParameters(session);
  config.input = readFormat(input?.format ?? session.input_audio_format) ?? config.input;
  config.output = readOutputFormat(session) ?? config.output;
  readTurnDetection(config, input ?? session);
  const transcription = input?.transcription ?? session.input_audio_transcription;
  if (transcription !== undefined) config.transcriptionModel = asText(asObject(transcription)?.model);
  const modalities = session.output_modalities ?? session.modalities;
  if (Array.isArray(modalities)) config.speaks = asArray(modalities).includes("audio");
  const prompt = asObject(session.prompt);
  config.promptId = asText(prompt?.id) ?? config.promptId;
  config.promptVersion = asText(prompt?.version) ?? config.promptVersion;
}

/** A session's instructions and tools may be 16,384 tokens long. */
const TEXT_MAX = 128 * 1024;

function readTools(value: unknown): unknown[] {
  const tools = objectsIn(value).map((tool) => elideFiles(withoutCredentials(tool)));
  return JSON.stringify(tools).length <= TEXT_MAX ? tools : [];
}

function readTurnDetection(config: RealtimeConfig, input: JsonObject): void {
  if (!("turn_detection" in input)) return;
  const detection = asObject(input.turn_detection);
  const type = asText(detection?.type);
  config.vad = type === "semantic_vad" ? type : detection === null ? null : "server_vad";
  config.silenceMs = milliseconds(detection?.silence_duration_ms) ?? config.silenceMs;
  config.prefixMs = milliseconds(detection?.prefix_padding_ms) ?? (type === "semantic_vad" ? 0 : config.prefixMs);
  config.answersItself = detection !== null && detection.create_response !== false;
}

/** Of a session, or of one response that speaks otherwise. */
export const readOutputFormat = (stated: JsonObject): AudioFormat | null =>
  readFormat(asObject(asObject(stated.audio)?.output)?.format ?? stated.output_audio_format);

/** GA names the type and its rate, the older interface one word for both. */
function readFormat(value: unknown): AudioFormat | null {
  const format = asObject(value);
  const name = asText(format?.type) ?? asText(value);
  if (name === "audio/pcmu" || name === "g711_ulaw") return { mediaType: "audio/pcmu", bytesPerMs: 8 };
  if (name === "audio/pcma" || name === "g711_alaw") return { mediaType: "audio/pcma", bytesPerMs: 8 };
  if (name !== "audio/pcm" && name !== "pcm16") return null;
  const rate = milliseconds(format?.rate) ?? 0;
  const isRate = rate >= RATE_MIN && rate <= RATE_MAX;
  return { mediaType: "audio/pcm", bytesPerMs: isRate ? (rate * 2) / 1000 : PCM_24K.bytesPerMs };
}

/** Samples a second: nobody speaks at less, or needs more. */
const RATE_MIN = 1000;
const RATE_MAX = 384_000;

function readParameters(session: JsonObject): Record<string, unknown> {
  const kept = Object.entries(session).filter(([name]) => !ELSEWHERE.has(name));
  const parameters = elideFiles(Object.fromEntries(kept)) as Record<string, unknown>;
  return JSON.stringify(parameters).length <= PARAMETERS_MAX ? parameters : {};
}

const PARAMETERS_MAX = 16 * 1024;
const ELSEWHERE = new Set([
  "id",
  "object",
  "model",
  "instructions",
  "tools",
  "expires_at",
  "client_secret",
  "metadata",
]);

/** A count that can be one: text, NaN and what is below zero are not. */
export function milliseconds(value: unknown): number | null {
  return typeof value === "number" && value >= 0 && value < 1e12 ? value : null;
}
