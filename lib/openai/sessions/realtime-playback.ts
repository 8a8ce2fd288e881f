import { asText } from "../bodies/json.ts";
import type { Answer } from "./realtime-answer.ts";
import { isPlaying, wasCut } from "./realtime-answer.ts";
import { milliseconds } from "./realtime-config.ts";
import type { Step } from "./realtime-state.ts";
import { note } from "./socket-log.ts";

/** The answer that something can still be heard of. */
export function answerIfPlaying({ state, atMs }: Step): Answer | null {
  const { answer } = state.turns;
  return answer !== null && isPlaying(answer, atMs) ? answer : null;
}

export const stopped = ({ atMs }: Step, answer: Answer | null): void => {
  if (answer !== null) wasCut(answer, atMs, true);
};

/** By the client, or its echo on a channel that does not hear the client. */
export function truncated(step: Step): void {
  const { state, event, atMs } = step;
  const { answer } = state.turns;
  const itemId = asText(event.item_id);
  const endMs = milliseconds(event.audio_end_ms);
  if (answer === null || itemId === null || endMs === null) return;
  if (!answer.items.includes(itemId)) {
    if (event.type === "conversation.item.truncate") note(state.log.problems, "truncated_too_late");
    return;
  }
  answer.truncated = { itemId, endMs };
  wasCut(answer, atMs, true);
}

/** Where the provider plays the audio itself this is the moment at which it is heard. */
export function playbackStarted(step: Step): void {
  const { state, event, atMs } = step;
  const { answer } = state.turns;
  const id = asText(event.response_id);
  if (answer === null || (id !== null && !answer.responses.includes(id))) return;
  answer.playedFromMs ??= atMs;
  answer.playedToMs = null;
  if (answer.heard.length === 0) answer.turn.firstAudioMs ??= atMs;
  const open = state.responses.open.find((one) => one.id === id);
  if (open) open.marks.firstAudioMs ??= atMs - open.createdMs;
}

export function playbackOver({ event, atMs }: Step, answer: Answer | null): void {
  const id = asText(event.response_id);
  if (answer?.playedFromMs == null || (id !== null && !answer.responses.includes(id))) return;
  answer.playedToMs = atMs;
}
