import { OUTPUT_AUDIO_MS_PER_TOKEN } from "#lib/session.ts";
import type { ChildFacts } from "../facts.ts";
import type { RealtimeState } from "./realtime-state.ts";
import type { TurnInput } from "./realtime-turns.ts";
import type { TurnFacts } from "./session-reader.ts";
import { note } from "./socket-log.ts";

/** What came back, and how much of it was heard. Milliseconds since the session's start unless they are lengths. */
export interface Answer {
  turn: TurnFacts;
  input: { endMs: number | null; isSpeech: boolean; byButton: boolean };
  /** Ids of its responses: more than one where tools were called. */
  responses: string[];
  active: boolean;
  /** Audio was asked for. */
  speaks: boolean;
  /** Items of it, as far as they were told. */
  items: string[];
  /** Its audio by item, in order: what a truncation counts from. */
  heard: { itemId: string; ms: number }[];
  /** Until when what has come will play, if it is played as it comes. */
  playsUntilMs: number | null;
  /** Real playback, where the provider plays it (WebRTC, SIP). */
  playedFromMs: number | null;
  playedToMs: number | null;
  /** Of the responses before this one. */
  playedBeforeMs: number;
  /** Somebody began to speak into it, or right after it. */
  spokenIntoMs: number | null;
  spokenAfterMs: number | null;
  /** They stopped, and it went on. */
  seemsFalse: boolean;
  falseBargeIns: number;
  /** It was stopped, as the first event says so; and as the client or its player says. */
  cutMs: number | null;
  stoppedMs: number | null;
  /** As the client's player says: so much of one item had been heard. */
  truncated: { itemId: string; endMs: number } | null;
  /** The session ended while it was playing. */
  leftMs: number | null;
  /** Tools were called, and answered: their ids, and when the last call was whole. */
  called: string[];
  calledMs: number | null;
  answered: string[];
  toolMs: number | null;
  toolMsBefore: number;
  /** By the usage of its responses, where the audio itself went another way. */
  statedAudioMs: number | null;
}

export function newAnswer(
  index: number,
  input: TurnInput | null,
  responseId: string | null,
  atMs: number | null,
): Answer {
  const kind = input?.kind ?? "unknown";
  return {
    turn: {
      index,
      callKey: null,
      callStartedAtMs: null,
      model: null,
      kind,
      inputStartMs: input?.startMs ?? null,
      inputEndMs: input?.endMs ?? null,
      createdMs: atMs,
      firstTextMs: null,
      firstAudioMs: null,
      doneMs: null,
      latencyMs: null,
      toolCalls: 0,
      modelMs: null,
      toolMs: null,
      audioMs: null,
      generationMs: null,
      bargeIn: null,
      bargeInMs: null,
      heardMs: null,
      wastedMs: null,
      reactionMs: null,
      status: null,
      reason: null,
      problems: input?.problems ?? [],
    },
    input: {
      endMs: input?.endMs ?? null,
      isSpeech: kind !== "text" && kind !== "unknown",
      byButton: kind === "push_to_talk",
    },
    responses: responseId === null ? [] : [responseId],
    active: responseId !== null,
    speaks: true,
    items: [],
    heard: [],
    playsUntilMs: null,
    playedFromMs: null,
    playedToMs: null,
    playedBeforeMs: 0,
    spokenIntoMs: null,
    spokenAfterMs: null,
    seemsFalse: false,
    falseBargeIns: 0,
    cutMs: null,
    stoppedMs: null,
    truncated: null,
    leftMs: null,
    called: [],
    calledMs: null,
    answered: [],
    toolMs: null,
    toolMsBefore: 0,
    statedAudioMs: null,
  };
}

/** It is being made, or what was made of it is still to be heard. */
export function isPlaying(answer: Answer, atMs: number): boolean {
  if (answer.cutMs !== null) return answer.active;
  if (answer.playedFromMs !== null) return answer.active || answer.playedToMs === null;
  return answer.active || (answer.playsUntilMs !== null && atMs < answer.playsUntilMs);
}

/** Somebody began to speak: into the answer, or after all of it should have been heard (players lag behind). */
export function spokenInto(answer: Answer, atMs: number): void {
  if (answer.cutMs !== null) return;
  if (!isPlaying(answer, atMs)) {
    answer.spokenAfterMs = atMs;
    return;
  }
  if (answer.seemsFalse) answer.falseBargeIns++;
  answer.seemsFalse = false;
  answer.spokenIntoMs = atMs;
}

/** Something of it is told: by its item it is known again. */
export function itemCame(answer: Answer, itemId: string | null): void {
  if (itemId === null || answer.items.includes(itemId)) return;
  answer.items = [...answer.items, itemId].slice(-ITEMS_MAX);
}

export function audioCame(answer: Answer, itemId: string, ms: number, atMs: number): void {
  answer.turn.firstAudioMs ??= atMs;
  answer.playsUntilMs = Math.max(answer.playsUntilMs ?? atMs, atMs) + ms;
  const item = answer.heard.find((one) => one.itemId === itemId);
  if (item) item.ms += ms;
  else answer.heard.push({ itemId, ms });
  if (answer.heard.length <= ITEMS_MAX) return;
  const [oldest, next] = answer.heard.splice(0, 2) as [Answer["heard"][number], Answer["heard"][number]];
  answer.heard.unshift({ itemId: next.itemId, ms: oldest.ms + next.ms });
}

const ITEMS_MAX = 64;

/** Evidence that it was stopped; the first counts. `byPlayer`: something was done about what is heard. */
export function wasCut(answer: Answer, atMs: number, byPlayer: boolean): void {
  answer.cutMs ??= atMs;
  if (byPlayer) answer.stoppedMs ??= atMs;
  answer.seemsFalse = false;
}

/** A tool was answered, and the model goes on: what is measured of the answer is measured of what comes now. */
export function goesOn(answer: Answer, responseId: string): void {
  const { turn, playedFromMs, playedToMs } = answer;
  turn.kind = "tool";
  turn.firstAudioMs = null;
  turn.firstTextMs = null;
  if (playedFromMs !== null && playedToMs !== null) answer.playedBeforeMs += playedToMs - playedFromMs;
  answer.playedFromMs = null;
  answer.playedToMs = null;
  answer.toolMsBefore = answer.toolMs ?? 0;
  answer.called = [];
  answer.calledMs = null;
  answer.answered = [];
  answer.active = true;
  answer.responses = [...answer.responses, responseId].slice(-RESPONSES_KEPT);
}

/** An agent that talks to nobody but its tools can go on for hours. */
const RESPONSES_KEPT = 64;

/** One of its responses is over. `lastAudioMs`: when the last of its audio came. */
export function responseOver(
  answer: Answer,
  call: ChildFacts,
  lastAudioMs: number | null,
  doneMs: number,
  status: string | null,
): void {
  const { turn } = answer;
  const { facts } = call;
  answer.active = false;
  turn.callKey = call.key;
  turn.callStartedAtMs = call.startedAtMs;
  turn.model = facts.model ?? facts.requestModel;
  turn.doneMs = doneMs;
  turn.status = status;
  turn.reason = facts.finishReasons[0] ?? null;
  turn.toolCalls += facts.toolCalls.length;
  // From the response's beginning to its last audio: then all of it had been made.
  const createdMs = doneMs - (call.timings.responseEndMs ?? 0) + (call.timings.firstByteMs ?? 0);
  if (lastAudioMs !== null) turn.generationMs = (turn.generationMs ?? 0) + lastAudioMs - createdMs;
  const tokens = facts.usage.outputAudioTokens;
  if (tokens) answer.statedAudioMs = (answer.statedAudioMs ?? 0) + tokens * OUTPUT_AUDIO_MS_PER_TOKEN;
  if (turn.reason === "turn_detected" || turn.reason === "client_cancelled") wasCut(answer, doneMs, false);
}

/** Its figures, when nothing more can happen to it. */
export function finishAnswer(state: RealtimeState, answer: Answer): TurnFacts {
  const { turn, input } = answer;
  const { firstAudioMs, firstTextMs, inputEndMs } = turn;
  const firstMs = firstAudioMs ?? (answer.speaks ? null : firstTextMs);
  turn.latencyMs = firstMs === null || inputEndMs === null ? null : Math.max(0, firstMs - inputEndMs);
  turn.toolMs = answer.toolMs;
  turn.audioMs = generatedMs(state, answer);
  if (answer.cutMs !== null) settleCut(answer, answer.stoppedMs ?? answer.cutMs);
  else {
    if (answer.seemsFalse) answer.falseBargeIns++;
    if (answer.falseBargeIns > 0) turn.bargeIn = "false";
    turn.bargeInMs = answer.falseBargeIns > 0 ? answer.spokenIntoMs : null;
    // Nobody knows how much a hang-up left unheard.
    const all = answer.leftMs === null && turn.audioMs !== null && answer.responses.length > 0;
    turn.heardMs = all ? turn.audioMs : null;
    turn.wastedMs = all ? 0 : null;
  }
  if (input.endMs === null && answer.responses.length > 0 && input.isSpeech) note(turn.problems, "input_end_unknown");
  return turn;
}

function generatedMs(state: RealtimeState, answer: Answer): number | null {
  const counted = answer.heard.reduce((sum, { ms }) => sum + ms, 0);
  if (counted > 0) return counted;
  if (answer.statedAudioMs !== null) {
    note(answer.turn.problems, "generated_estimated");
    return answer.statedAudioMs;
  }
  return answer.responses.length > 0 && state.transport === "websocket" ? 0 : null;
}

function settleCut(answer: Answer, cutMs: number): void {
  const { turn, input } = answer;
  if (turn.audioMs !== null) {
    turn.heardMs = Math.min(turn.audioMs, heardMs(answer, cutMs, turn.audioMs));
    turn.wastedMs = turn.audioMs - turn.heardMs;
  }
  // Players lag behind what is reckoned here; one that had played all to its end was interrupted in nothing.
  const spokenMs = answer.spokenIntoMs ?? (turn.wastedMs ? answer.spokenAfterMs : null);
  if (spokenMs !== null || input.byButton) turn.bargeIn = "confirmed";
  turn.bargeInMs = spokenMs ?? (input.byButton ? cutMs : null);
  turn.reactionMs = spokenMs === null ? null : Math.max(0, cutMs - spokenMs);
}

/** What the player said it played; else what playing it as it came would have played. */
function heardMs(answer: Answer, cutMs: number, audioMs: number): number {
  const { truncated, playedFromMs, playedToMs, playsUntilMs } = answer;
  if (truncated !== null) {
    const index = answer.heard.findIndex(({ itemId }) => itemId === truncated.itemId);
    const endMs = Math.min(truncated.endMs, answer.heard[index]?.ms ?? truncated.endMs);
    return answer.heard.slice(0, Math.max(0, index)).reduce((sum, { ms }) => sum + ms, endMs);
  }
  if (playedFromMs !== null) return answer.playedBeforeMs + Math.max(0, (playedToMs ?? cutMs) - playedFromMs);
  if (audioMs > 0) note(answer.turn.problems, "heard_estimated");
  return Math.max(0, audioMs - Math.max(0, (playsUntilMs ?? cutMs) - cutMs));
}
