import type { UsageLine } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText } from "../bodies/json.ts";
import { textOf } from "../bodies/parts.ts";
import type { Facts } from "../facts.ts";
import { noUsage } from "../no-facts.ts";
import { loadTokenizer } from "../usage/tokenizer.ts";
import { readUsage } from "../usage/usage.ts";
import { linesAs, usageLine } from "../usage/usage-line.ts";
import type { ImageAnswer } from "./images.ts";

/** Tokens as stated; else an estimate for models that are billed by tokens, and the pictures themselves for all others. */
export async function settleImageUsage(facts: Facts, request: JsonObject | null, answer: ImageAnswer): Promise<void> {
  const pictures = answer.images.filter(({ type }) => type === "image").length;
  if (answer.usage !== null) await readStated(facts, answer.usage, pictures);
  if (facts.usage.source === "none") await readUnstated(facts, request, answer, pictures);
  facts.lines = [...facts.lines, ...svgLines(facts, answer.svgUsage)];
}

async function readUnstated(
  facts: Facts,
  request: JsonObject | null,
  answer: ImageAnswer,
  pictures: number,
): Promise<void> {
  if (facts.outcome === "failed" || (pictures === 0 && answer.partials === 0)) return;
  if (isBilledByToken(facts.requestModel)) return estimateTokens(facts, request, answer, pictures);
  facts.usage = { ...noUsage(), source: "measured" };
  facts.lines = usageLine("output", "image", "image", pictures, "measured");
}

/** The others (dall-e-2 and -3, and what nobody knows) are billed by the picture. */
const isBilledByToken = (model: string | null): boolean => /^(gpt-|chatgpt-)/.test(model ?? "");

/** The tokens that come out are the picture's, unless details say otherwise. */
async function readStated(facts: Facts, raw: unknown, pictures: number): Promise<void> {
  const { usage, lines, problems } = readUsage(raw, { produced: pictures > 0, mixedInput: false });
  facts.usage = usage;
  facts.problems.push(...problems);
  const saysOutput = usage.outputTextTokens !== null || usage.outputImageTokens !== null;
  facts.lines = saysOutput ? lines : linesAs(lines, "output", "image");
  const saysInput = usage.inputTextTokens !== null || usage.inputImageTokens !== null;
  if (!saysInput && facts.inputModalities.includes("image")) await splitInput(facts);
}

/** Text costs less than pictures: what the prompt's own tokens are not is the pictures'. */
async function splitInput(facts: Facts): Promise<void> {
  const whole = facts.lines.find(({ direction, cache }) => direction === "input" && cache === "none");
  if (whole === undefined) return;
  const text = Math.min(whole.quantity, await promptTokens(facts));
  facts.lines = [
    ...facts.lines.filter((line) => line !== whole),
    ...usageLine("input", "text", "token", text, whole.source),
    ...usageLine("input", "image", "token", whole.quantity - text, whole.source),
  ];
  facts.problems.push("image_split_estimated");
}

async function promptTokens(facts: Facts): Promise<number> {
  const count = await loadTokenizer();
  return facts.content.input.reduce((sum, message) => sum + count(textOf(message)), 0);
}

/**
 * Output tokens of one picture of gpt-image-1 by quality, square and not (https://platform.openai.com/docs/guides/image-generation#cost-and-latency);
 * real traffic states 4,160 and 6,240.
 */
const PICTURE_TOKENS: Readonly<Record<string, readonly [number, number]>> = {
  low: [272, 408],
  medium: [1056, 1584],
  high: [4160, 6240],
};
const PARTIAL_TOKENS = 100;

/** A stream broke off, or a server states nothing. Pictures that were sent in cannot be counted: no upper bound then. */
async function estimateTokens(
  facts: Facts,
  request: JsonObject | null,
  answer: ImageAnswer,
  pictures: number,
): Promise<void> {
  const text = request === null ? null : await promptTokens(facts);
  const isOpen = text === null || facts.inputModalities.includes("image");
  const size = answer.size ?? asText(request?.size) ?? "auto";
  const isSquare = /^(\d+)x\1$/.test(size);
  const [low, likely, high] = outputTokens(answer.quality ?? asText(request?.quality) ?? "auto", isSquare);
  const partials = answer.partials * PARTIAL_TOKENS;
  const output = likely * Math.max(1, pictures) + partials;
  facts.usage = {
    ...noUsage(),
    source: "estimated",
    inputTokens: text,
    outputTokens: output,
    totalTokens: text === null ? null : text + output,
    outputImageTokens: output,
    bounds: {
      inputLow: text === null ? 0 : Math.max(0, text - 20),
      inputHigh: isOpen ? null : text + 20,
      // What was not finished may be billed in part.
      outputLow: low * pictures,
      outputHigh: high * Math.max(1, pictures) + partials,
    },
  };
  facts.lines = [
    ...usageLine("input", "text", "token", text ?? 0, "estimated"),
    ...usageLine("output", "image", "token", output, "estimated"),
  ];
}

/** Lowest, likely, highest. */
function outputTokens(quality: string, isSquare: boolean): readonly [number, number, number] {
  const shape = isSquare ? 0 : 1;
  const known = PICTURE_TOKENS[quality]?.[shape];
  if (known !== undefined) return [known, known, known];
  return [PICTURE_TOKENS.low?.[shape] ?? 0, PICTURE_TOKENS.medium?.[shape] ?? 0, PICTURE_TOKENS.high?.[shape] ?? 0];
}

/** The model that wrote the SVG is billed beside the picture, by its own prices. */
function svgLines(facts: Facts, raw: unknown): UsageLine[] {
  const stated = asObject(raw);
  if (stated === null) return [];
  const product = asText(stated.model);
  const { usage, problems } = readUsage(stated, { produced: false, mixedInput: false });
  if (product === null) problems.push("svg_model_missing");
  facts.problems.push(...problems.filter((problem) => !facts.problems.includes(problem)));
  if (problems.some((problem) => problem !== "svg_model_missing")) return [];
  return [
    ...usageLine("tool", "text", "input_token", usage.inputTokens ?? 0, "reported"),
    ...usageLine("tool", "text", "output_token", usage.outputTokens ?? 0, "reported"),
    // A model that nobody named is in no list: its tokens are unpriced, not free.
  ].map((line) => ({ ...line, product: product ?? "unknown" }));
}
