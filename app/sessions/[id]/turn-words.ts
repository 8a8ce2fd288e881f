import { formatDuration } from "#app/_ui/format.ts";
import type { Turn, TurnKind } from "#lib/session.ts";
import type { BarKind } from "./place-turn.ts";

/** How a turn's input ended, and from what moment its wait therefore counts. */
export const TURN_KINDS: Record<TurnKind, { label: string; from: string }> = {
  server_vad: {
    label: "Speech",
    from: "the true end of speech on the audio clock, before the silence that detects it",
  },
  semantic_vad: { label: "Speech (semantic)", from: "when the provider said that speech had stopped" },
  push_to_talk: {
    label: "Push to talk",
    from: "when the client committed the audio, or asked for the answer if that was later",
  },
  text: { label: "Text", from: "when the client asked for the answer" },
  tool: { label: "Tool", from: "the end of the user's input, before the tool was called" },
  idle: { label: "Idle prompt", from: "when the provider's idle time was over" },
  unknown: { label: "Unknown", from: "the first moment that is known" },
};

export const BAR_WORDS: Record<BarKind, string> = {
  speech: "user's input",
  wait: "wait",
  tool: "tool",
  heard: "heard",
  generated: "generated, heard or not",
  wasted: "never heard",
  text: "text",
};

/** "First audio after 320 ms", "no answer", "text after 410 ms" */
export function latencyInWords({ latencyMs, firstAudioMs, firstTextMs }: Turn): string {
  if (latencyMs === null) return firstAudioMs === null && firstTextMs === null ? "no answer" : "wait unknown";
  return `first ${firstAudioMs === null ? "text" : "audio"} after ${formatDuration(latencyMs)}`;
}

export function bargeInInWords({ bargeIn, heardMs, wastedMs, reactionMs }: Turn): string {
  if (bargeIn === null) return "";
  if (bargeIn === "false") return "false barge-in: nothing was interrupted";
  const heard = heardMs === null ? "" : `, ${formatDuration(heardMs)} heard`;
  const wasted = wastedMs === null ? "" : `, ${formatDuration(wastedMs)} never heard`;
  return `barge-in${heard}${wasted}${reactionMs === null ? "" : `, cut after ${formatDuration(reactionMs)}`}`;
}

/** How fast audio was generated, against how long it plays; null: not known. */
export const realtimeFactor = ({ audioMs, generationMs }: Turn): number | null =>
  audioMs === null || generationMs === null || generationMs <= 0 ? null : audioMs / generationMs;
