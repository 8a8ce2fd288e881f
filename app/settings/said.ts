import type { Params } from "#app/_frame/view.ts";
import { type AlertProblem, isAlertProblem } from "./problems.ts";

/** What was done, in a word for the address and a sentence for people. */
export const DONE = {
  added: "The rule is added. Its first value comes within seconds.",
  changed: "The threshold is changed. An alert that was open is closed; the next check says whether it opens again.",
  on: "The rule is on. Its first value comes within seconds.",
  off: "The rule is off. An alert that was open is closed.",
  deleted: "The rule is deleted. The alerts that it opened stay in the history.",
} as const;
export type Done = keyof typeof DONE;
const isDone = (text: string): text is Done => Object.hasOwn(DONE, text);

/** Fields that are given back when a form was refused, so that nothing has to be typed twice. */
export const TYPED = [
  "do",
  "rule",
  "measure",
  "threshold",
  "window",
  "feature",
  "model",
  "environment",
  "modality",
] as const;

/** What the address says about the form that led here. */
export interface Said {
  done: Done | null;
  problems: AlertProblem[];
  /** Of the refused form, as it was typed. */
  typed: Partial<Record<(typeof TYPED)[number], string>>;
}

/** More of a field is not given back: servers refuse an address that is too long. */
export const TYPED_CHARACTERS_MAX = 300;

export function readSaid(params: Params): Said {
  const one = (name: string) => {
    const value = params[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const done = one("done") ?? "";
  return {
    done: isDone(done) ? done : null,
    problems: [...new Set((one("problem") ?? "").split(","))].filter(isAlertProblem),
    typed: Object.fromEntries(
      TYPED.flatMap((name) => {
        const text = one(name);
        return text === undefined ? [] : [[name, text.slice(0, TYPED_CHARACTERS_MAX)]];
      }),
    ),
  };
}
