import { formatUtcDay } from "#app/_frame/sealed-sentence.ts";

/** Why a call that was there may be missing; null: no call was ever dropped. `sealedMs`: since when calls are kept. */
export const goneSentence = (sealedMs: number | null): string | null =>
  sealedMs === null
    ? null
    : `Calls before ${formatUtcDay(sealedMs)} (UTC) are no longer kept, their totals are: a link to one of them leads nowhere.`;
