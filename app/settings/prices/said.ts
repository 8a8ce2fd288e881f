import type { Params } from "#app/_frame/view.ts";
import { TERM_PROBLEMS, type TermProblem } from "#lib/price-term.ts";
import { PRICE_PROBLEMS, type PriceProblem } from "#lib/read-price.ts";

/** Where the forms go. */
export const CHANGE_PATH = "/settings/prices/change";

/** What was done, in a word for the address and a sentence for people. */
export const DONE = {
  price: "The price is added. The recorder uses it within 30 seconds; calls that are stored keep theirs.",
  term: "The term is added. The recorder uses it within 30 seconds; calls that are stored keep their price.",
} as const;
type Done = keyof typeof DONE;

/** What else can be wrong with a form, and the whole list in sentences. */
export const PROBLEMS = {
  ...Object.fromEntries(Object.entries(PRICE_PROBLEMS).map(([code, { sentence }]) => [code, sentence])),
  ...TERM_PROBLEMS,
  price_known: "This price is in the book already: a price is never changed. What changed begins on another day.",
  term_too_many: "There are as many terms as there may be.",
  price_unknown_action: "A price or a term can be added here.",
} as Record<FormProblem, string>;
export type FormProblem = PriceProblem | TermProblem | "price_known" | "term_too_many" | "price_unknown_action";

/** Fields that are given back when a form was refused, so that nothing has to be typed twice. */
export const TYPED = [
  "do",
  "model",
  "unit",
  "direction",
  "modality",
  "cached",
  "tier",
  "usd",
  "effective_from",
  "note",
  "models",
  "factor",
  "from",
  "upstream",
] as const;
export const TYPED_CHARACTERS_MAX = 300;

/** What the address says about the form that led here. */
export interface Said {
  done: Done | null;
  problems: FormProblem[];
  /** Of the refused form. */
  typed: Partial<Record<(typeof TYPED)[number], string>>;
}

export function readSaid(params: Params): Said {
  const one = (name: string) => {
    const value = params[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const done = one("done") ?? "";
  return {
    done: Object.hasOwn(DONE, done) ? (done as Done) : null,
    problems: [...new Set((one("problem") ?? "").split(","))].filter((code): code is FormProblem =>
      Object.hasOwn(PROBLEMS, code),
    ),
    typed: Object.fromEntries(
      TYPED.flatMap((name) => {
        const text = one(name);
        return text === undefined ? [] : [[name, text.slice(0, TYPED_CHARACTERS_MAX)]];
      }),
    ),
  };
}
