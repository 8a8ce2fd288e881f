import type { Call } from "#lib/call.ts";
import { counter, type MetricFamily } from "#lib/metric-family.ts";
import { addMoney } from "#lib/money.ts";
import { createBoundedLabels } from "./bounded-labels.ts";
import { createSums } from "./sums.ts";

/** Of each kind of label: a client or an upstream that makes up names must not fill anybody's Prometheus. */
const LABELS_MAX = 50;

export interface CallFigures {
  count(stored: { calls: readonly { call: Call }[]; feedback: number }): void;
  families(): MetricFamily[];
}

/** Outcomes, tokens and money of the calls that this process has recorded. What is unknown is counted as such, and adds nothing. */
export function createCallFigures(): CallFigures {
  const modelLabel = createBoundedLabels(LABELS_MAX);
  const errorLabel = createBoundedLabels(LABELS_MAX);
  const problemLabel = createBoundedLabels(LABELS_MAX);
  const calls = counts();
  const errors = counts();
  const problems = counts();
  const tokens = counts();
  const withoutUsage = counts();
  const unpriced = counts();
  const costs = createSums("0", addMoney);
  let feedbackStored = 0;

  return {
    count(stored) {
      for (const { call } of stored.calls) countOne(call);
      feedbackStored += stored.feedback;
    },
    families: () => [
      counter(
        "omnimeter_recorded_calls_total",
        "Calls recorded, by the model that answered and how they ended.",
        calls.samples(),
      ),
      counter("omnimeter_call_errors_total", "Calls that did not complete, by kind.", errors.samples()),
      counter("omnimeter_decode_problems_total", "Oddities that a reader saw in a call.", problems.samples()),
      counter("omnimeter_tokens_total", "Tokens; the kinds are disjoint and sum to the total.", tokens.samples()),
      counter("omnimeter_calls_without_usage_total", "Calls whose tokens are not known.", withoutUsage.samples()),
      counter("omnimeter_cost_usd_total", "What priced usage cost in US dollars.", costs.samples()),
      counter(
        "omnimeter_unpriced_calls_total",
        "Calls with usage that no price fits; their cost is not in omnimeter_cost_usd_total.",
        unpriced.samples(),
      ),
      counter("omnimeter_feedback_stored_total", "Words of feedback stored.", feedbackStored),
    ],
  };

  function countOne(call: Call) {
    const model = modelLabel(call.model ?? "unknown");
    const { outcome } = call;
    calls.add({ model, outcome }, 1);
    if (outcome !== "completed")
      errors.add({ outcome, error_type: call.errorType === null ? "none" : errorLabel(call.errorType) }, 1);
    for (const problem of call.problems) problems.add({ problem: problemLabel(problem) }, 1);
    if (call.usage.source === "none") withoutUsage.add({ model }, 1);
    for (const { direction, modality, cache, source, quantity, costUsd } of call.lines) {
      tokens.add({ model, direction, modality, cache, source }, quantity);
      if (costUsd !== null) costs.add({ model, source }, costUsd);
    }
    if (call.lines.some(({ costUsd }) => costUsd === null)) unpriced.add({ model }, 1);
  }
}

const counts = () => createSums(0, (a: number, b: number) => a + b);
