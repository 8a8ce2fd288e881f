import { asObject } from "../bodies/json.ts";
import type { Facts } from "../facts.ts";
import { noUsage } from "../no-facts.ts";
import { loadTokenizer } from "../usage/tokenizer.ts";
import { readUsage } from "../usage/usage.ts";
import { linesAs, usageLine } from "../usage/usage-line.ts";
import type { AudioLength } from "./audio-length.ts";
import type { Transcription } from "./transcriptions.ts";

/** Tokens or seconds as stated; else the seconds that are billed for the file, or an estimate of the tokens, by what the model is billed by. */
export async function settleTranscriptionUsage(
  facts: Facts,
  answer: Transcription,
  measured: AudioLength | null,
): Promise<void> {
  const statedMs = answer.seconds !== null && isSeconds(answer.seconds) ? Math.round(answer.seconds * 1000) : null;
  facts.inputAudioMs = statedMs ?? measured?.ms ?? null;
  if (answer.usage !== null && answer.usage !== undefined) {
    readStated(facts, answer);
    // Rounded up by whoever bills it, but better than nothing.
    const { durationSeconds } = facts.usage;
    facts.inputAudioMs ??= durationSeconds ? durationSeconds * 1000 : null;
    if (facts.usage.source !== "none") return;
  }
  if (facts.outcome === "failed" || answer.text === null) return;
  if (isBilledByToken(facts.requestModel)) return estimateTokens(facts, answer.text, measured);
  const isExact = statedMs !== null || measured?.exact === true;
  if (facts.inputAudioMs === null) facts.problems.push("duration_unknown");
  else readSeconds(facts, billedSeconds(facts.inputAudioMs), isExact ? "measured" : "estimated");
}

/** In real traffic 1.7 s are stated as 2 s of usage, 3.7 s as 4 s; OpenAI's own example has 8.47 s and 9 s. */
const billedSeconds = (ms: number): number => Math.ceil(ms / 1000);

/** The others are billed by the minute of audio: whisper-1, gpt-transcribe, and what nobody knows. */
const isBilledByToken = (model: string | null): boolean => /^gpt-4o-(mini-)?transcribe/.test(model ?? "");

const SECONDS_MAX = 360_000;
/** A length of audio that there can be: a hundred hours at most. */
export const isSeconds = (value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value <= SECONDS_MAX;

function readStated(facts: Facts, { usage, text }: Transcription): void {
  const stated = asObject(usage);
  if (stated?.type === "duration" || (stated !== null && stated.type !== "tokens" && "seconds" in stated)) {
    if (!isSeconds(stated.seconds)) facts.problems.push("usage_bad_number");
    else readSeconds(facts, withMilliseconds(facts, stated.seconds), "reported");
    return;
  }
  const reading = readUsage(usage, { produced: Boolean(text), mixedInput: true });
  facts.usage = reading.usage;
  // Without details nobody says how much of the input was a prompt: the audio is nearly all of it.
  const isSplit = reading.usage.inputAudioTokens !== null || reading.usage.inputTextTokens !== null;
  facts.lines = isSplit ? reading.lines : linesAs(reading.lines, "input", "audio");
  facts.problems.push(...reading.problems);
  if (!isSplit && reading.lines.length > 0) facts.problems.push("audio_split_assumed");
}

/** A quantity has at most three decimals. */
export function withMilliseconds(facts: Facts, seconds: number): number {
  const rounded = Math.round(seconds * 1000) / 1000;
  if (rounded !== seconds) facts.problems.push("seconds_rounded");
  return rounded;
}

function readSeconds(facts: Facts, seconds: number, source: "reported" | "measured" | "estimated"): void {
  facts.usage = { ...noUsage(), source, durationSeconds: seconds };
  facts.lines = usageLine("input", "audio", "second", seconds, source);
}

const INPUT_TOKENS_PER_SECOND = 10;

/** Speakers and times are tokens too, which a diarized answer does not show: no upper bound for it. */
async function estimateTokens(facts: Facts, text: string, measured: AudioLength | null): Promise<void> {
  const count = await loadTokenizer();
  const prompt = facts.unit === null ? 0 : count(facts.unit);
  const ms = facts.inputAudioMs;
  const audio = ms === null ? null : Math.round((ms / 1000) * INPUT_TOKENS_PER_SECOND);
  const output = count(text);
  const slack = (tokens: number) => Math.max(5, Math.ceil(tokens * 0.05));
  const isBounded = audio !== null && measured?.exact === true;
  const isPlain = !facts.requestModel?.includes("diarize") && facts.outcome === null;
  facts.usage = {
    ...noUsage(),
    source: "estimated",
    inputTokens: audio === null ? null : audio + prompt,
    outputTokens: output,
    totalTokens: audio === null ? null : audio + prompt + output,
    inputTextTokens: audio === null ? null : prompt,
    inputAudioTokens: audio,
    bounds: {
      inputLow: isBounded ? Math.max(0, audio - slack(audio)) : 0,
      inputHigh: isBounded ? audio + slack(audio) + prompt + slack(prompt) : null,
      outputLow: Math.max(0, output - slack(output)),
      outputHigh: isPlain ? output + slack(output) : null,
    },
  };
  facts.lines = [
    ...usageLine("input", "text", "token", audio === null ? 0 : prompt, "estimated"),
    ...usageLine("input", "audio", "token", audio ?? 0, "estimated"),
    ...usageLine("output", "text", "token", output, "estimated"),
  ];
  if (audio === null) facts.problems.push("duration_unknown");
}
