import type { View } from "#app/_frame/view.ts";
import { formatCount, UNKNOWN } from "#app/_ui/format.ts";
import type { AlertRule } from "#db/queries/settings-page.ts";
import { alertMeasure } from "#lib/alert.ts";
import { conditionOf, formatAlertValue, subjectOf } from "./alert-words.ts";
import { RuleForms } from "./rule-forms.tsx";
import { RuleState } from "./rule-state.tsx";
import type { Said } from "./said.ts";

interface Props {
  rules: readonly AlertRule[];
  said: Said;
  view: View;
}

/** What is watched, what it is now, and what can be done about it. */
export function AlertRules({ rules, said, view }: Props) {
  if (rules.length === 0)
    return (
      <p className="mt-4 text-base" data-testid="no-rules">
        No rule yet. Add the first one below: a threshold on waiting, errors, spend, data lag or unpriced calls.
      </p>
    );
  return (
    <ul className="mt-3 border-t border-rule" aria-label="Alert rules" data-testid="rules">
      {rules.map((rule) => (
        <li
          key={rule.id}
          id={`rule-${rule.id}`}
          className="grid items-start gap-x-6 gap-y-2 border-b border-rule py-3 md:grid-cols-[minmax(0,2fr)_minmax(0,1fr)_minmax(0,2fr)_auto]"
          data-testid="rule"
        >
          <p className="min-w-0 [overflow-wrap:anywhere]">
            <span className="font-semibold">{subjectOf(rule)}</span>
            <br />
            <span className="text-muted">{conditionOf(rule)}</span>
          </p>
          <Now rule={rule} />
          <RuleState rule={rule} view={view} />
          <RuleForms rule={rule} said={said} />
        </li>
      ))}
    </ul>
  );
}

function Now({ rule: { measure, value, calls } }: { rule: AlertRule }) {
  return (
    <p>
      <span className="text-muted">now </span>
      {value === null ? <span className="text-muted">{UNKNOWN}</span> : formatAlertValue(measure, value)}
      {alertMeasure(measure).callsMin !== null && calls !== null && (
        <span className="text-muted"> n {formatCount(calls)}</span>
      )}
    </p>
  );
}
