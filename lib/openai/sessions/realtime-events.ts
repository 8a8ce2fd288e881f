import { asObject, asText, objectsIn } from "../bodies/json.ts";
import { append, audioBytes } from "./realtime-audio.ts";
import { milliseconds, readConfig } from "./realtime-config.ts";
import { addItem, keepAudio, noteSpeech, pushItem } from "./realtime-input.ts";
import { answerIfPlaying, playbackOver, playbackStarted, stopped, truncated } from "./realtime-playback.ts";
import { countOut } from "./realtime-response-events.ts";
import type { Handlers, Step } from "./realtime-state.ts";
import { addTranscriptionDelta, beginTranscription, endTranscription } from "./realtime-transcriptions.ts";
import { addTranslated } from "./realtime-translation.ts";
import {
  audioSent,
  cleared,
  committed,
  itemTold,
  responseAsked,
  speechStarted,
  speechStopped,
  timeoutTriggered,
} from "./realtime-turns.ts";

/** What each event means. Those that are not here say nothing that is recorded. */
export const CLIENT_EVENTS: Handlers = {
  "input_audio_buffer.append": appended,
  "input_audio_buffer.commit": committed,
  "input_audio_buffer.clear": bufferCleared,
  "session.input_audio_buffer.append": appended,
  "output_audio_buffer.clear": (step) => stopped(step, answerIfPlaying(step)),
  "conversation.item.create": (step) => {
    const item = asObject(step.event.item);
    if (item === null) return;
    addItem(step.state.input, item, step.state.config.input, true);
    itemTold(step);
  },
  "conversation.item.truncate": truncated,
  "response.create": asked,
  "response.cancel": (step) => {
    const id = asText(step.event.response_id);
    const answer = answerIfPlaying(step);
    if (id === null || answer?.responses.includes(id)) stopped(step, answer);
  },
};

export const SERVER_EVENTS: Handlers = {
  "session.created": configured,
  "session.updated": configured,
  "transcription_session.created": configured,
  "transcription_session.updated": configured,
  "conversation.item.added": itemAdded,
  "conversation.item.created": itemAdded,
  "conversation.item.truncated": truncated,
  "conversation.item.input_audio_transcription.delta": addTranscriptionDelta,
  "conversation.item.input_audio_transcription.completed": transcribed("completed"),
  "conversation.item.input_audio_transcription.failed": transcribed("failed"),
  "input_audio_buffer.speech_started": (step) => {
    const { state, event } = step;
    const startMs = milliseconds(event.audio_start_ms);
    noteSpeech(state.input, asText(event.item_id), startMs, null);
    speechStarted(step, startMs);
  },
  "input_audio_buffer.speech_stopped": (step) => {
    const { state, event } = step;
    const endMs = spokenUntil(step);
    noteSpeech(state.input, asText(event.item_id), null, endMs);
    speechStopped(step, endMs);
  },
  "input_audio_buffer.committed": bufferCommitted,
  "input_audio_buffer.timeout_triggered": timeoutTriggered,
  "output_audio_buffer.started": playbackStarted,
  "output_audio_buffer.stopped": (step) => playbackOver(step, step.state.turns.answer),
  "output_audio_buffer.cleared": (step) => {
    playbackOver(step, step.state.turns.answer);
    stopped(step, step.state.turns.answer);
  },
  "rate_limits.updated": limited,
  error: failed,
  "session.input_transcript.delta": (step) => addTranslated(step, "heard"),
  "session.output_transcript.delta": (step) => addTranslated(step, "said"),
  "session.output_audio.delta": (step) => {
    addTranslated(step, "audio");
    countOut(step.state, audioBytes(asText(step.event.delta) ?? "") / step.state.config.output.bytesPerMs);
  },
};

/** On the audio clock. null: not stated, or more than can have been sent by now. */
function spokenUntil({ state, event, atMs }: Step): number | null {
  const endMs = milliseconds(event.audio_end_ms);
  return endMs !== null && endMs <= Math.max(state.clock.appendedMs, atMs) + SLACK_MS ? endMs : null;
}

/** Audio that was on its way when the session began, and what a full spool did not take. */
const SLACK_MS = 60_000;

/** A response may be given instructions and input of its own, and stand beside the conversation. */
function asked(step: Step): void {
  const { state, event } = step;
  const response = asObject(event.response);
  state.input.instructions = asText(response?.instructions)?.slice(0, INSTRUCTIONS_MAX) ?? null;
  for (const item of objectsIn(response?.input)) pushItem(state.input, item, state.config.input, false);
  if (response?.conversation === "none") state.responses.apartAsked++;
  else responseAsked(step);
}

const INSTRUCTIONS_MAX = 128 * 1024;

function appended(step: Step): void {
  const { state, event, atMs } = step;
  const audio = asText(event.audio);
  if (audio === null) return;
  const fromMs = state.clock.appendedMs;
  const ms = audioBytes(audio) / state.config.input.bytesPerMs;
  state.sawAudioIn = true;
  append(state.clock, ms, atMs);
  keepAudio(state.input, audio, fromMs, fromMs + ms);
  audioSent(step, ms);
}

function bufferCleared(step: Step): void {
  step.state.input.bufferFromMs = step.state.clock.appendedMs;
  cleared(step);
}

/** Without a detector the piece is all that was sent since the last one. */
function bufferCommitted(step: Step): void {
  const { state, event, atMs } = step;
  const { input, clock } = state;
  const itemId = asText(event.item_id);
  if (state.config.vad === null && state.sawAudioIn) noteSpeech(input, itemId, input.bufferFromMs, clock.appendedMs);
  input.bufferFromMs = clock.appendedMs;
  beginTranscription(state, itemId, atMs);
  committed(step);
}

function configured({ state, event }: Step): void {
  const session = asObject(event.session);
  if (session === null) return;
  readConfig(state.config, session);
  if (
    state.kind === "realtime" &&
    (session.type === "transcription" || asText(event.type)?.startsWith("transcription_"))
  )
    state.kind = "transcription";
  state.providerId = asText(session.id) ?? state.providerId;
  const expiresAt = milliseconds(session.expires_at);
  if (expiresAt !== null && expiresAt > 0 && expiresAt < EXPIRES_MAX) state.expiresAt = expiresAt * 1000;
}

/** Seconds of the year 2100. */
const EXPIRES_MAX = 4_102_444_800;

/** The model's own items come as the output of its response. */
function itemAdded(step: Step): void {
  const item = asObject(step.event.item);
  if (item === null || item.role === "assistant" || /_call$/.test(asText(item.type) ?? "")) return;
  if (addItem(step.state.input, item, step.state.config.input, false)) itemTold(step);
}

function transcribed(outcome: "completed" | "failed"): (step: Step) => void {
  return (step) => {
    if (outcome === "failed") step.state.errors++;
    const call = endTranscription(step, outcome);
    if (call !== null) step.out.calls.push(call);
  };
}

function limited({ state, event }: Step): void {
  state.rateLimitEvents++;
  for (const limit of objectsIn(event.rate_limits).slice(0, LIMITS_MAX)) {
    const name = asText(limit.name)?.slice(0, 64);
    if (name === undefined) continue;
    if (!Object.hasOwn(state.rateLimits, name) && Object.keys(state.rateLimits).length >= LIMITS_MAX) continue;
    state.rateLimits[name] = {
      limit: milliseconds(limit.limit),
      remaining: milliseconds(limit.remaining),
      resetSeconds: milliseconds(limit.reset_seconds),
    };
  }
}

const LIMITS_MAX = 16;

/** The session normally goes on. */
function failed({ state, event }: Step): void {
  state.errors++;
  const code = asText(asObject(event.error)?.code) ?? asText(event.code);
  if (code === "session_expired") state.endReason = "expired";
}
