import { ALERT_RULES_MAX } from "#lib/alert.ts";

/** What can be wrong with a form about alerts: a stable code, the field it is about, and a sentence that says what to do. */
export const ALERT_PROBLEMS = {
  alert_unknown_measure: { field: "measure", sentence: "This cannot be watched: choose one of the listed measures." },
  alert_bad_threshold: {
    field: "threshold",
    sentence: "The threshold is not a number with its unit: write 2 s, 850 ms, 5 %, 20 USD or 10 calls.",
  },
  alert_negative_threshold: { field: "threshold", sentence: "A threshold is 0 or more." },
  alert_threshold_too_large: {
    field: "threshold",
    sentence: "The threshold is too large: at most 24 h for calls, 30 days of lag, 100 %, a billion USD or calls.",
  },
  alert_bad_window: { field: "window", sentence: "A window is a whole number of minutes, from 1 to 10,080 (7 days)." },
  alert_bad_scope: {
    field: "scope",
    sentence: "A feature, model or environment has at most 200 characters, and a modality is text, image or audio.",
  },
  alert_scope_without_meaning: {
    field: "scope",
    sentence: "Data lag is of everything, and money is not kept by modality: leave the fields empty that do not apply.",
  },
  alert_too_many: {
    field: null,
    sentence: `There are ${ALERT_RULES_MAX} rules, which is the most: delete one that is not needed.`,
  },
  alert_unknown_rule: { field: null, sentence: "There is no such rule any more: nothing was changed." },
  alert_unknown_action: { field: null, sentence: "A rule can be added, changed, switched on or off, and deleted." },
} as const satisfies Record<string, { field: string | null; sentence: string }>;

export type AlertProblem = keyof typeof ALERT_PROBLEMS;
export type AlertField = NonNullable<(typeof ALERT_PROBLEMS)[AlertProblem]["field"]>;

export const isAlertProblem = (code: string): code is AlertProblem => Object.hasOwn(ALERT_PROBLEMS, code);
