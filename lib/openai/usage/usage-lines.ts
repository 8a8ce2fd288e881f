import type { Usage, UsageLine } from "#lib/call.ts";
import type { Modality } from "#lib/modalities.ts";

type Split = Record<Modality, number>;

/** What the totals alone do not say. */
interface Stated {
  /** Of the cached tokens, by modality. null: one figure for all. */
  readonly cached: Split | null;
  /** Of the written tokens, by how long they are kept. */
  readonly written: { readonly for30m: number; readonly for12h: number };
}

/**
 * Divides totals into disjoint lines: direction × modality × cache state. Details are "of which" figures, so nothing is
 * ever added to a total. Figures that cannot all be true give no lines and the problem `usage_inconsistent`: a wrong
 * division would be priced as if it were right.
 */
export function usageLines(usage: Usage, stated: Stated, mixedInput: boolean, problems: string[]): UsageLine[] {
  const input = usage.inputTokens ?? 0;
  const output = usage.outputTokens ?? 0;
  const inputBy = divide(input, usage.inputTextTokens, usage.inputAudioTokens, usage.inputImageTokens);
  const outputBy = divide(output, usage.outputTextTokens, usage.outputAudioTokens, usage.outputImageTokens);
  const cached = usage.cachedTokens ?? 0;
  const written = usage.cacheWriteTokens ?? 0;
  const prediction = (usage.acceptedPredictionTokens ?? 0) + (usage.rejectedPredictionTokens ?? 0);
  const { for30m, for12h } = stated.written;
  const read = inputBy && take(inputBy, cached, stated.cached);
  const fresh = inputBy && read && minus(inputBy, read);
  const write30m = fresh && take(fresh, for30m, null);
  const write12h = write30m && take(minus(fresh, write30m), for12h, null);
  const unread = write12h && minus(minus(fresh, write30m), write12h);
  const write = unread && take(unread, written - for30m - for12h, null);

  const fits =
    inputBy !== null &&
    outputBy !== null &&
    read !== null &&
    write30m !== null &&
    write12h !== null &&
    unread !== null &&
    write !== null &&
    (usage.totalTokens === null || usage.totalTokens === input + output) &&
    (usage.reasoningTokens ?? 0) <= output &&
    prediction <= output;
  if (!fits) {
    problems.push("usage_inconsistent");
    return [];
  }

  // A hit is a prefix of the prompt, and text mostly stands first; where other input is there that is an assumption.
  const mixed = mixedInput || inputBy.audio > 0 || inputBy.image > 0;
  if (cached > 0 && stated.cached === null && mixed) problems.push("cached_split_assumed");

  return [
    ...tokenLines("input", "none", minus(unread, write)),
    ...tokenLines("input", "read", read),
    ...tokenLines("input", "write", write),
    ...tokenLines("input", "write_30m", write30m),
    ...tokenLines("input", "write_12h", write12h),
    ...tokenLines("output", "none", outputBy),
  ];
}

/**
 * By modality. Text is what remains: a stated text figure may be lower (image tokens that nobody states are in the
 * remainder), never higher.
 */
function divide(total: number, text: number | null, audio: number | null, image: number | null): Split | null {
  const rest = total - (audio ?? 0) - (image ?? 0);
  if (rest < 0 || (text !== null && text > rest)) return null;
  if (text !== null && audio !== null && image !== null && text !== rest) return null;
  return { text: rest, audio: audio ?? 0, image: image ?? 0 };
}

/** `quantity` taken out of the modalities as stated, else from text first. null: there is not so much, or less than nothing. */
function take(from: Split, quantity: number, stated: Split | null): Split | null {
  if (quantity < 0) return null;
  if (stated !== null) {
    const fits = stated.text + stated.audio + stated.image === quantity;
    return fits && ORDER.every((modality) => stated[modality] <= from[modality]) ? stated : null;
  }
  const taken: Split = { text: 0, image: 0, audio: 0 };
  let left = quantity;
  for (const modality of ORDER) {
    taken[modality] = Math.min(left, from[modality]);
    left -= taken[modality];
  }
  return left === 0 ? taken : null;
}

function minus(a: Split, b: Split): Split {
  return { text: a.text - b.text, image: a.image - b.image, audio: a.audio - b.audio };
}

/** A line for each modality of which there is something. */
export function tokenLines(direction: UsageLine["direction"], cache: UsageLine["cache"], split: Split): UsageLine[] {
  const lines: UsageLine[] = [];
  for (const modality of ORDER) {
    const quantity = split[modality];
    if (quantity > 0)
      lines.push({ direction, modality, cache, unit: "token", product: null, quantity, source: "reported" });
  }
  return lines;
}

const ORDER: readonly Modality[] = ["text", "image", "audio"];
