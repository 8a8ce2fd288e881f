import type { Random } from "./random.ts";
import type { Script } from "./scripts.ts";
import type { Used } from "./turn.ts";

/** What lib/demo/media.ts's page costs at high detail: 85 + 6 tiles × 170. */
const PAGE_TOKENS = 1105;
/** The cache holds prompts from here on, in steps. */
const CACHE_TOKENS_MIN = 1024;
const CACHE_STEP_TOKENS = 128;
/** Of a prompt that is found in the cache, the part that is the same each time. */
const PREFIX_SHARE = 0.85;

interface Circumstances {
  readonly served: string;
  /** Calls before this one in the conversation: they are sent again. */
  readonly turnsBefore: number;
  /** How much of the period has passed, 0 to 1. */
  readonly progress: number;
}

export function drawUsed(
  random: Random,
  { template, tool }: Script,
  { served, turnsBefore, progress }: Circumstances,
): Used {
  const { tokens, kind } = template;
  const inputImage = kind === "vision" ? PAGE_TOKENS : 0;
  const asked = whole(random.logNormal(tokens.input - inputImage, tokens.sigma) * (1 + 0.4 * turnsBefore));
  const inputAudio = kind === "audio" ? whole(asked * (0.2 + 0.1 * Math.min(4, turnsBefore))) : 0;
  const input = inputImage + asked;
  const reasoning = served.startsWith("gpt-5") ? 64 * random.below(7) : 0;
  const output = whole(random.logNormal(tool ? 26 : tokens.output, tool ? 0.15 : tokens.sigma)) + reasoning;
  const [first, last] = tokens.cached;
  const hits = random.chance((first + (last - first) * progress) / PREFIX_SHARE);
  const isCached = hits && input >= CACHE_TOKENS_MIN;
  return {
    input,
    cached: isCached ? Math.floor((asked * PREFIX_SHARE) / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS : 0,
    inputImage,
    inputAudio,
    output,
    outputAudio: kind === "audio" ? Math.floor(output * 0.78) : 0,
    reasoning,
  };
}

const whole = (tokens: number): number => Math.max(1, Math.round(tokens));
