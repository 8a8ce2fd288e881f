/** What a project pays instead of the list: a factor on every price of the models that match, from the start of a UTC day. */
export interface PriceTerm {
  id: string;
  projectId: string;
  /** A model as the price book names it; a last `*` is any rest. */
  models: string;
  /** null: any upstream. */
  upstream: string | null;
  /** A decimal: 0.9 is ten percent off, 1 ends a discount. */
  factor: string;
  /** YYYY-MM-DD. */
  effectiveFrom: string;
  note: string;
  /** Milliseconds since the epoch. */
  addedAtMs: number;
}

/** What somebody asks for; the rest of a term is made when it is stored. */
export type TermWish = Pick<PriceTerm, "models" | "upstream" | "factor" | "effectiveFrom" | "note">;

/** What can be wrong with a term, in sentences that say what to do. */
export const TERM_PROBLEMS = {
  term_bad_models:
    "Models are a name of 1 to 128 characters without spaces or #, or its beginning and a *, such as gpt-4o*.",
  term_bad_factor: "A factor is a decimal from 0 to 100, such as 0.9 for ten percent off, with at most 6 decimals.",
  term_bad_day: "A term begins on a day of the calendar, written as 2026-12-01.",
  term_bad_upstream:
    "An upstream is its name in OMNIMETER_UPSTREAMS, of at most 64 characters; leave it out for all of them.",
  term_long_note: "A note has at most 500 characters.",
} as const;
export type TermProblem = keyof typeof TERM_PROBLEMS;

/** A term as it was typed, or everything that is wrong with it. */
export function readTerm(typed: {
  models: string;
  factor: string;
  from: string;
  upstream: string;
  note: string;
}): TermWish | TermProblem[] {
  const { models, upstream, factor, from, note } = mapValues(typed);
  const problems: TermProblem[] = [
    ...(/^(?=.)[^\s#*]{0,128}\*?$/.test(models) ? [] : ["term_bad_models" as const]),
    ...(isFactor(factor) ? [] : ["term_bad_factor" as const]),
    ...(isDay(from) ? [] : ["term_bad_day" as const]),
    ...(/^[^\s#]{0,64}$/.test(upstream) ? [] : ["term_bad_upstream" as const]),
    ...(note.length <= 500 ? [] : ["term_long_note" as const]),
  ];
  if (problems.length) return problems;
  return { models, upstream: upstream || null, factor: plainDecimal(factor), effectiveFrom: from, note };
}

/** A day of the calendar as YYYY-MM-DD, not before there was anything to price, so that a slip of the year is seen. */
export function isDay(text: string): boolean {
  const ms = /^20\d\d-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === text;
}

/** Without zeros that say nothing. */
export const plainDecimal = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

const isFactor = (text: string): boolean => /^(0|[1-9]\d{0,2})(\.\d{1,6})?$/.test(text) && Number(text) <= 100;

const mapValues = <T extends Record<string, string>>(typed: T): T =>
  Object.fromEntries(Object.entries(typed).map(([name, value]) => [name, value.trim()])) as T;
