import type { UsageLine } from "#lib/call.ts";
import type { Modality } from "#lib/modalities.ts";
import type { PromptPart } from "./prompt-parts.ts";
import { tokenLines } from "./usage-lines.ts";

/**
 * The input lines of a call once more: `imageTokens` of its text are pictures, and what came from the cache is what stands at the
 * beginning of the prompt, what was written there is what follows. The sum, and the sum of every cache state, stay what they were.
 */
export function alongPrompt(
  lines: readonly UsageLine[],
  imageTokens: number,
  prompt: readonly PromptPart[],
): UsageLine[] {
  const sum = (fits: (line: UsageLine) => boolean) =>
    lines.reduce((total, line) => total + (fits(line) ? line.quantity : 0), 0);
  const totals = {
    text: sum(({ modality }) => modality === "text") - imageTokens,
    image: sum(({ modality }) => modality === "image") + imageTokens,
    audio: sum(({ modality }) => modality === "audio"),
  };
  const stretches = toScale(prompt, totals);
  const taken = IN_ORDER.map((cache) => ({
    cache,
    split: takeFirst(
      stretches,
      sum((line) => line.cache === cache),
    ),
  }));
  return STATES.flatMap((state) =>
    taken.flatMap(({ cache, split }) => (cache === state ? tokenLines("input", cache, split) : [])),
  );
}

/** As they follow each other in the prompt; which of two writes comes first nobody says. */
const IN_ORDER: readonly UsageLine["cache"][] = ["read", "write_12h", "write_30m", "write", "none"];
const STATES: readonly UsageLine["cache"][] = ["none", "read", "write", "write_30m", "write_12h"];

interface Stretch {
  readonly modality: Modality;
  left: number;
}

/** The parts as whole numbers of tokens that sum to the totals. What no part explains stands first: the words around messages. */
function toScale(prompt: readonly PromptPart[], totals: Record<Modality, number>): Stretch[] {
  const stretches: Stretch[] = [];
  const guessed = { text: 0, image: 0, audio: 0 };
  for (const { modality, tokens } of prompt) guessed[modality] += tokens.likely;
  for (const modality of ["text", "image", "audio"] as const) {
    if (guessed[modality] === 0) stretches.push({ modality, left: totals[modality] });
  }
  const passed = { text: 0, image: 0, audio: 0 };
  for (const { modality, tokens } of prompt) {
    if (guessed[modality] === 0) continue;
    const until = (guess: number) => Math.round((guess / guessed[modality]) * totals[modality]);
    const left = until(passed[modality] + tokens.likely) - until(passed[modality]);
    passed[modality] += tokens.likely;
    stretches.push({ modality, left });
  }
  return stretches;
}

function takeFirst(stretches: Stretch[], quantity: number): Record<Modality, number> {
  const split = { text: 0, image: 0, audio: 0 };
  let wanted = quantity;
  for (const stretch of stretches) {
    const part = Math.min(wanted, stretch.left);
    split[stretch.modality] += part;
    stretch.left -= part;
    wanted -= part;
  }
  return split;
}
