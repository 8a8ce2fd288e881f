import type { Message, UsageSource } from "#lib/call.ts";
import { OUTPUT_AUDIO_MS_PER_TOKEN } from "#lib/session.ts";
import type { Facts } from "../facts.ts";
import { noUsage } from "../no-facts.ts";
import { usageLine } from "../usage/usage-line.ts";

/**
 * Usage of what was generated though nobody stated any: audio by its length, text by its characters. `isOver`: all that was generated has
 * been seen, and the provider stated zero, which may even be what it bills; else more may have been made than came. `audioMs` null: it was
 * heard elsewhere, and nobody knows how long it was.
 */
export function estimateOutput(facts: Facts, audioMs: number | null, isOver: boolean): void {
  const text = writtenText(facts.content.output);
  const bytes = Buffer.byteLength(text);
  const audio = Math.round((audioMs ?? 0) / OUTPUT_AUDIO_MS_PER_TOKEN);
  // A token of English is four bytes; none is less than one, and none holds more than a word.
  const outputTextTokens = Math.ceil(bytes / 4);
  const words = text.split(/\s+/).filter((word) => word !== "").length;
  const outputTokens = outputTextTokens + audio;
  facts.usage = {
    ...noUsage(),
    source: "estimated",
    outputTokens,
    outputTextTokens,
    outputAudioTokens: audioMs === null ? null : audio,
    bounds: {
      inputLow: 0,
      inputHigh: null,
      outputLow: isOver ? 0 : Math.min(outputTokens, words + audio),
      outputHigh: isOver && audioMs !== null ? bytes + audio + SPECIAL_TOKENS : null,
    },
  };
  facts.lines = [
    ...usageLine("output", "text", "token", outputTextTokens, "estimated"),
    ...usageLine("output", "audio", "token", audio, "estimated"),
  ];
}

/** A response holds a few tokens that are neither heard nor read. */
const SPECIAL_TOKENS = 10;

/** Usage of audio that is billed by its length. */
export function useSeconds(facts: Facts, seconds: number, source: UsageSource): void {
  const durationSeconds = Math.round(seconds * 1000) / 1000;
  facts.usage = { ...noUsage(), source, durationSeconds };
  facts.lines = usageLine("input", "audio", "second", durationSeconds, source);
}

function writtenText(output: readonly Message[]): string {
  const texts = output.flatMap(({ parts }) =>
    parts.map((part) => {
      if (part.type === "text") return part.text;
      if (part.type === "audio") return part.transcript ?? "";
      return part.type === "tool_call" ? `${part.name} ${part.arguments}` : "";
    }),
  );
  return texts.filter((text) => text !== "").join(" ");
}
