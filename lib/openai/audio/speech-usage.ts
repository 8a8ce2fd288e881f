import type { JsonObject } from "../bodies/json.ts";
import { asText } from "../bodies/json.ts";
import type { Facts } from "../facts.ts";
import { noUsage } from "../no-facts.ts";
import { loadTokenizer } from "../usage/tokenizer.ts";
import { readUsage } from "../usage/usage.ts";
import { linesAs, usageLine } from "../usage/usage-line.ts";
import type { Speech } from "./speech.ts";

/** Tokens as an event states them; else what is known of the request and of the audio, by what the model is billed by. */
export async function settleSpeechUsage(
  facts: Facts,
  request: JsonObject | null,
  { audio, usage }: Speech,
): Promise<void> {
  if (usage !== null && usage !== undefined) {
    const reading = readUsage(usage, { produced: audio !== null, mixedInput: false });
    facts.usage = reading.usage;
    facts.problems.push(...reading.problems);
    // What comes out is audio, and nothing else; no details say so.
    facts.lines = reading.usage.outputTextTokens === null ? linesAs(reading.lines, "output", "audio") : reading.lines;
    if (facts.usage.source !== "none") return;
  }
  if (facts.outcome === "failed" || audio === null) return;
  if (isBilledByToken(facts.requestModel)) await estimateTokens(facts, request, audio.bytes !== null);
  else countCharacters(facts, request);
}

/** The others are billed by the characters of the text: tts-1, tts-1-hd, and what nobody knows. */
const isBilledByToken = (model: string | null): boolean => /^gpt-/.test(model ?? "");

/**
 * Code points: the limit that OpenAI sets to an input (4,096 characters) counts these, so the bill is taken to do so too. In UTF-16 a smile
 * would count twice.
 */
function countCharacters(facts: Facts, request: JsonObject | null): void {
  const text = asText(request?.input);
  if (text === null) {
    facts.problems.push("characters_unknown");
    return;
  }
  let characters = 0;
  for (const _ of text) characters++;
  facts.usage = { ...noUsage(), source: "measured" };
  facts.lines = usageLine("input", "text", "character", characters, "measured");
}

/** $0.015 a minute at $12 per million, as OpenAI reckons. Real traffic states more for a short sentence: 93 for 3.6 s, where this gives 75. */
const OUTPUT_TOKENS_PER_MINUTE = 1250;
const OUTPUT_LOW = 0.9;
const OUTPUT_HIGH = 1.4;
const OUTPUT_SLACK = 20;

async function estimateTokens(facts: Facts, request: JsonObject | null, wasSeenWhole: boolean): Promise<void> {
  const count = await loadTokenizer();
  const texts = [asText(request?.input), asText(request?.instructions)];
  const input = request === null ? null : texts.reduce((sum, text) => sum + (text === null ? 0 : count(text)), 0);
  const { outputAudioMs } = facts;
  const output = outputAudioMs === null ? null : Math.round((outputAudioMs / 60_000) * OUTPUT_TOKENS_PER_MINUTE);
  if (output === null) facts.problems.push("duration_unknown");
  const slack = input === null ? 0 : Math.max(5, Math.ceil(input * 0.02));
  const isOver =
    wasSeenWhole && facts.outcome === null && facts.problems.every((problem) => problem !== "response_cut");
  facts.usage = {
    ...noUsage(),
    source: "estimated",
    inputTokens: input,
    outputTokens: output,
    totalTokens: input === null || output === null ? null : input + output,
    outputAudioTokens: output,
    bounds: {
      inputLow: input === null ? 0 : Math.max(0, input - slack),
      inputHigh: input === null ? null : input + slack,
      outputLow: output === null ? 0 : Math.floor(output * OUTPUT_LOW),
      outputHigh: output === null || !isOver ? null : Math.ceil(output * OUTPUT_HIGH) + OUTPUT_SLACK,
    },
  };
  facts.lines = [
    ...usageLine("input", "text", "token", input ?? 0, "estimated"),
    ...usageLine("output", "audio", "token", output ?? 0, "estimated"),
  ];
}
