import type { JsonObject } from "../bodies/json.ts";
import type { Facts } from "../facts.ts";
import { alongPrompt } from "../usage/cached-prefix.ts";
import { hasMoreInput, inputText } from "../usage/estimate.ts";
import type { PromptPart } from "../usage/prompt-parts.ts";
import { promptParts } from "../usage/prompt-parts.ts";
import { loadTokenizer } from "../usage/tokenizer.ts";
import type { TokenRange } from "./image-tokens.ts";

/**
 * Divides reported input further than the answer did: the tokens of pictures from those of text, and what the cache gave by where it
 * lies in the prompt. The totals are what was reported; the division is an estimate and marked as one.
 */
export async function splitInput(facts: Facts, request: JsonObject | null): Promise<void> {
  if (request === null) return;
  const count = await loadTokenizer();
  const prompt = promptParts(request, facts.model ?? facts.requestModel, count);
  const isInput = (line: Facts["lines"][number]) => line.direction === "input";
  const input = facts.lines.filter(isInput);
  const image = hidesImages(facts) ? imageShare(facts, prompt, inputText(facts, request, count), request) : 0;
  facts.lines = [...alongPrompt(input, image, prompt), ...facts.lines.filter((line) => !isInput(line))];
}

/** One figure stands for things that are told apart here. */
export function hasHiddenParts(facts: Facts): boolean {
  const { usage, lines, content } = facts;
  if (usage.source !== "reported" || !lines.some(({ direction }) => direction === "input")) return false;
  const has = (kind: string) => content.input.some(({ parts }) => parts.some(({ type }) => type === kind));
  if (hidesImages(facts)) return true;
  const oneFigure = usage.cachedTextTokens === null && usage.cachedAudioTokens === null;
  return (usage.cachedTokens ?? 0) > 0 && oneFigure && (has("audio") || (usage.inputImageTokens ?? 0) > 0);
}

function hidesImages({ usage, content, model, requestModel }: Facts): boolean {
  if (usage.inputImageTokens !== null || !SAME_PRICE.test(model ?? requestModel ?? "")) return false;
  return content.input.some(({ parts }) => parts.some(({ type }) => type === "image"));
}

/** Families that read pictures at the price of text, so that an estimated division moves no money. Others keep one line. */
const SAME_PRICE = /^(chatgpt-4o-latest$|(ft:)?gpt-(4o|4\.1|5(\.\d+)?)(-(mini|nano))?(-\d{4}-\d\d-\d\d)?(:|$))/;

/** What remains when text and audio are taken away, or the nearest figure that the arithmetic of tiles allows. */
function imageShare(facts: Facts, prompt: PromptPart[], text: TokenRange, request: JsonObject): number {
  const { usage, problems } = facts;
  const available = (usage.inputTokens ?? 0) - (usage.inputAudioTokens ?? 0);
  if (usage.inputTextTokens !== null) return available - usage.inputTextTokens;
  const images = prompt.filter(({ modality }) => modality === "image");
  const residual = available - text.likely;
  const sizes = (["likely", "low", "high"] as const).map((key) =>
    images.reduce((total, { tokens }) => total + (tokens[key] ?? tokens.likely), 0),
  );
  const nearest = sizes.reduce((best, size) => (Math.abs(size - residual) < Math.abs(best - residual) ? size : best));
  const known = images.length > 0 && images.every((image) => image.known);
  const guess = known || readsMore(facts, request) ? nearest : Math.max(residual, sizes[1] ?? 0);
  problems.push("image_split_estimated");
  const tolerance = Math.max(TOLERANCE_TOKENS, available * TOLERANCE_SHARE);
  if (Math.abs(residual - guess) > tolerance) problems.push("image_split_off");
  return Math.max(0, Math.min(guess, available));
}

/** What remains is not the pictures alone: files, earlier turns, or what OpenAI's own tools have found. */
function readsMore(facts: Facts, request: JsonObject): boolean {
  return hasMoreInput(facts, request) || facts.toolCalls.some(({ type }) => type !== "function" && type !== "custom");
}

const TOLERANCE_TOKENS = 20;
const TOLERANCE_SHARE = 0.02;
