import { COMPARABLE_LIMITS, type Comparable, type Timed } from "#db/queries/comparable-calls.ts";
import { type Stage, stagesOf } from "./stages.ts";
import { type Usual, usualOf } from "./usual.ts";

/** A stage of the call beside the same stage of comparable calls. */
export interface ComparedStage extends Stage {
  usual: Usual;
}

/** The call beside calls that did the same. */
export interface Comparison {
  by: Comparable["by"] | null;
  n: number;
  /** There may be more comparable calls than were taken. */
  isNewest: boolean;
  stages: ComparedStage[];
  durationMs: Usual;
  firstTokenMs: Usual;
  firstTextMs: Usual;
  firstAudioMs: Usual;
  longestGapMs: Usual;
  stalls: Usual;
  uploadMs: Usual;
  /** Its tail is the slow one: the 5th percentile. */
  tokensPerSecond: Usual;
  contentChunks: Usual;
  requestBytes: Usual;
  /** How many of them waited for a new connection to the upstream. */
  newConnections: number;
}

export function compare(call: Timed, comparable: Comparable | null): Comparison {
  const others = comparable?.calls ?? [];
  const msByStage = Map.groupBy(others.flatMap(stagesOf), ({ name }) => name);
  const of = (value: (call: Timed) => number | null, tail?: 0.05) => usualOf(others.map(value), tail);
  return {
    by: comparable?.by ?? null,
    n: others.length,
    isNewest: others.length >= COMPARABLE_LIMITS.taken,
    stages: stagesOf(call).map((stage) => ({
      ...stage,
      usual: usualOf((msByStage.get(stage.name) ?? []).map(({ ms }) => ms)),
    })),
    durationMs: of(({ durationMs }) => durationMs),
    firstTokenMs: of(({ firstTokenMs }) => firstTokenMs),
    firstTextMs: of(({ firstTextMs }) => firstTextMs),
    firstAudioMs: of(({ firstAudioMs }) => firstAudioMs),
    longestGapMs: of(({ longestGapMs }) => longestGapMs),
    stalls: of(({ stalls }) => stalls),
    uploadMs: of(({ requestEndMs }) => requestEndMs),
    tokensPerSecond: of(tokensPerSecondOf, 0.05),
    contentChunks: of(({ streamed, contentChunks }) => (streamed ? contentChunks : null)),
    requestBytes: of(({ requestBytes }) => requestBytes),
    newConnections: others.filter(({ connectMs }) => connectMs !== null).length,
  };
}

/** (output tokens − 1) / (last − first token), of streams whose tokens the provider counted. null: not known, or no time passed. */
export function tokensPerSecondOf({ streamed, usageSource, outputTokens, firstTokenMs, lastTokenMs }: Timed) {
  if (!streamed || usageSource !== "reported" || outputTokens === null || outputTokens <= 1) return null;
  if (firstTokenMs === null || lastTokenMs === null || lastTokenMs <= firstTokenMs) return null;
  return ((outputTokens - 1) / (lastTokenMs - firstTokenMs)) * 1000;
}
