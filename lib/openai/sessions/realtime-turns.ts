import type { TurnKind } from "#lib/session.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, objectsIn } from "../bodies/json.ts";
import type { Answer } from "./realtime-answer.ts";
import { finishAnswer, goesOn, isPlaying, newAnswer, spokenInto } from "./realtime-answer.ts";
import { wallOf } from "./realtime-audio.ts";
import type { OpenResponse } from "./realtime-responses.ts";
import type { RealtimeState, Step } from "./realtime-state.ts";

/**
 * A turn has two halves that overlap with its neighbours': somebody speaks (`input`) while the answer to what they said before is still
 * being heard (`answer`). What is true of an answer is known when the next one begins; then its turn is given out, once.
 */
export interface Turns {
  next: number;
  input: TurnInput | null;
  answer: Answer | null;
  bargeIns: number;
  falseBargeIns: number;
  wastedMs: number;
}

export interface TurnInput {
  kind: TurnKind;
  startMs: number | null;
  endMs: number | null;
  speaking: boolean;
  /** An answer was asked for. */
  asked: boolean;
  problems: string[];
}

export const newTurns = (): Turns => ({
  next: 0,
  input: null,
  answer: null,
  bargeIns: 0,
  falseBargeIns: 0,
  wastedMs: 0,
});

function inputOf({ turns }: RealtimeState, kind: TurnKind, startMs: number | null): TurnInput {
  turns.input ??= { kind, startMs, endMs: null, speaking: false, asked: false, problems: [] };
  return turns.input;
}

/** Somebody speaks: what was told in writing before was only to prepare for it. */
function speechOf(state: RealtimeState, kind: TurnKind, startMs: number | null): TurnInput {
  const input = inputOf(state, kind, startMs);
  if (input.kind === "text" || input.kind === "idle") input.startMs = startMs;
  input.kind = kind;
  return input;
}

/** `audioStartMs`, on the audio clock, lies before the speech by the padding. */
export function speechStarted({ state, atMs }: Step, audioStartMs: number | null): void {
  const { answer } = state.turns;
  if (answer !== null) spokenInto(answer, atMs);
  const began = audioStartMs === null ? null : wallOf(state.clock, audioStartMs + state.config.prefixMs);
  speechOf(state, kindOfSpeech(state), Math.min(began ?? atMs, atMs)).speaking = true;
}

/** The detector waited for some silence before it said so: the speech was over when the silence began. */
export function speechStopped({ state, atMs }: Step, audioEndMs: number | null): void {
  const { config, clock, turns } = state;
  const input = speechOf(state, kindOfSpeech(state), null);
  input.speaking = false;
  if (config.vad === "semantic_vad") input.endMs = atMs;
  else {
    const over = audioEndMs === null ? null : wallOf(clock, audioEndMs - config.silenceMs);
    input.endMs = Math.max(0, Math.min(over ?? atMs - config.silenceMs, atMs));
    if (over === null && !input.problems.includes("input_end_estimated")) input.problems.push("input_end_estimated");
  }
  const { answer } = turns;
  if (answer !== null && answer.spokenIntoMs !== null && answer.cutMs === null) answer.seemsFalse = true;
}

function kindOfSpeech({ config }: RealtimeState): TurnKind {
  if (config.vad === null || !config.answersItself) return "push_to_talk";
  return config.vad;
}

/** Audio that no detector listens to: somebody holds a button. */
export function audioSent({ state, atMs }: Step, ms: number): void {
  if (state.config.vad !== null) return;
  speechOf(state, "push_to_talk", Math.max(0, atMs - ms)).speaking = true;
}

export function committed({ state, atMs }: Step): void {
  if (state.config.vad !== null) return;
  const input = speechOf(state, "push_to_talk", null);
  input.endMs ??= atMs;
  input.speaking = false;
}

/** What was said is thrown away. */
export function cleared({ state }: Step): void {
  if (state.turns.input?.kind === "push_to_talk" && state.turns.input.endMs === null) state.turns.input = null;
}

export function timeoutTriggered({ state, atMs }: Step): void {
  state.turns.input = { kind: "idle", startMs: null, endMs: atMs, speaking: false, asked: true, problems: [] };
}

/** An item that is no answer. A tool's result belongs to the turn that called the tool. */
export function itemTold(step: Step): void {
  const { state, event, atMs } = step;
  const item = asObject(event.item);
  if (/_output$/.test(asText(item?.type) ?? "")) toolAnswered(state, asText(item?.call_id), atMs);
  else if (item?.role === "user" && !state.turns.input?.speaking && isWritten(item)) {
    const input = inputOf(state, "text", atMs);
    if (input.kind === "text") input.endMs = atMs;
  }
}

/** Speech begins where it is noticed, not where it becomes an item. */
const isWritten = (item: JsonObject): boolean =>
  objectsIn(item.content).some(({ type }) => type !== "input_audio" && type !== "audio");

const TOOLS_MAX = 128;

function toolAnswered({ turns: { answer } }: RealtimeState, callId: string | null, atMs: number): void {
  const key = callId ?? "";
  if (answer?.calledMs == null || answer.answered.includes(key) || answer.answered.length >= TOOLS_MAX) return;
  answer.answered.push(key);
  answer.toolMs = answer.toolMsBefore + Math.max(0, atMs - answer.calledMs);
}

/** The client asks for an answer. Where it is the detector that does, only what was told as text is waited for. */
export function responseAsked({ state, atMs }: Step): void {
  const { turns } = state;
  if (turns.input === null) {
    if (turns.answer !== null && turns.answer.answered.length > 0) return;
    inputOf(state, "text", atMs);
  }
  const input = turns.input as TurnInput | null;
  if (input && (input.kind === "text" || input.kind === "push_to_talk")) {
    input.endMs = Math.max(input.endMs ?? atMs, atMs);
    input.speaking = false;
    input.asked = true;
  }
}

/** An answer begins: the one before it is over and done with, unless this is what the model says to a tool's result. */
export function responseBegan(step: Step, response: OpenResponse): void {
  const { state, atMs } = step;
  const { turns } = state;
  if (response.apart) return;
  const { answer, input } = turns;
  if (answer !== null && input === null && answer.answered.length > 0) {
    goesOn(answer, response.id);
    return;
  }
  finishTurn(step);
  turns.input = null;
  turns.answer = newAnswer(turns.next++, input, response.id, atMs);
  // A detector that is wrong by more is not believed.
  const { inputEndMs } = turns.answer.turn;
  if (inputEndMs !== null && inputEndMs <= atMs && atMs - inputEndMs < WAIT_MS_MAX) response.askedMs = inputEndMs;
}

const WAIT_MS_MAX = 60_000;

/** Gives out the turn whose answer nothing can change any more. */
export function finishTurn({ state, out }: Pick<Step, "state" | "out">): void {
  const { turns } = state;
  if (turns.answer === null) return;
  const turn = finishAnswer(state, turns.answer);
  if (turn.bargeIn === "confirmed") turns.bargeIns++;
  turns.falseBargeIns += turns.answer.falseBargeIns;
  turns.wastedMs += turn.wastedMs ?? 0;
  turns.answer = null;
  out.turns.push(turn);
}

/** The session is over: also what was said, or asked, and never answered was a turn. */
export function finishTurns(step: Pick<Step, "state" | "out">, atMs: number): void {
  const { turns, kind } = step.state;
  if (kind !== "realtime") return;
  if (turns.answer !== null && isPlaying(turns.answer, atMs)) turns.answer.leftMs = atMs;
  finishTurn(step);
  const { input } = turns;
  if (input === null || (input.kind === "text" && !input.asked)) return;
  turns.input = null;
  const unanswered = newAnswer(turns.next++, input, null, null);
  step.out.turns.push(finishAnswer(step.state, unanswered));
}
