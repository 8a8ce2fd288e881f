import type { Random } from "./random.ts";
import { eighths, type Pace } from "./turn.ts";

/** How fast a snapshot is: median time to the first token, and tokens per second after it. */
const SPEEDS: Readonly<Record<string, readonly [firstMs: number, tokensPerSecond: number]>> = {
  "gpt-4o-2024-08-06": [520, 72],
  "gpt-4o-2024-11-20": [430, 88],
  "gpt-4o-mini-2024-07-18": [340, 115],
  "gpt-4.1": [480, 92],
  "gpt-5-mini": [1350, 125],
  "gpt-audio-2025-08-28": [760, 52],
  "gpt-audio-1.5": [620, 60],
};
const USUAL = [600, 80] as const;

interface Work {
  readonly served: string;
  readonly streamed: boolean;
  readonly input: number;
  readonly output: number;
  /** Content chunks of the stream. */
  readonly chunks: number;
  /** 1 as usual; 4 when the upstream takes four times as long to begin. */
  readonly slowness: number;
}

export function drawPace(random: Random, { served, streamed, input, output, chunks, slowness }: Work): Pace {
  const [firstMs, tokensPerSecond] = SPEEDS[served] ?? USUAL;
  const requestEndMs = eighths(0.25 + random.next() + input / 8000);
  const connectMs = random.chance(0.03) ? eighths(random.logNormal(42, 0.3)) : null;
  // A request goes upstream on a connection that is open.
  const sentMs = requestEndMs + 0.25 + (connectMs ?? 0);
  const thinkingMs = random.logNormal(firstMs + input / 40, 0.36) * slowness;
  const writingMs = (output / random.logNormal(tokensPerSecond, 0.18)) * 1000;
  const firstTokenMs = eighths(sentMs + thinkingMs);
  const stall = random.chance(0.08) ? random.logNormal(420, 0.7) : random.next() * 20;
  return {
    requestEndMs,
    sentMs,
    connectMs,
    firstByteMs: streamed ? eighths(firstTokenMs - Math.min(40, thinkingMs / 4)) : eighths(firstTokenMs + writingMs),
    firstTokenMs,
    stepMs: eighths(Math.max(0.125, writingMs / Math.max(1, chunks))),
    stallMs: eighths(stall),
    tailMs: eighths(0.5 + random.next() * 6),
  };
}
