import type { AlertRule } from "#db/queries/settings-page.ts";
import { formatThreshold, subjectOf } from "./alert-words.ts";
import { RULES_PATH } from "./rules-path.ts";
import type { Said } from "./said.ts";

/** Change, switch, delete. What needs a second step opens in place, without any script. */
export function RuleForms({ rule, said }: { rule: AlertRule; said: Said }) {
  const what = subjectOf(rule);
  return (
    <div className="flex flex-wrap items-start gap-2 md:justify-end">
      <Change rule={rule} said={said} what={what} />
      <form method="post" action={RULES_PATH}>
        <input type="hidden" name="rule" value={rule.id} />
        <button type="submit" name="do" value={rule.enabled ? "off" : "on"} className="control">
          Switch {rule.enabled ? "off" : "on"}
          <span className="sr-only">: {what}</span>
        </button>
      </form>
      <details>
        <summary className="control">
          Delete…<span className="sr-only"> {what}</span>
        </summary>
        <form method="post" action={RULES_PATH} className="mt-2">
          <input type="hidden" name="rule" value={rule.id} />
          <button type="submit" name="do" value="delete" className="control !border-bad text-bad">
            Really delete<span className="sr-only"> {what}</span>
          </button>
        </form>
      </details>
    </div>
  );
}

function Change({ rule, said, what }: { rule: AlertRule; said: Said; what: string }) {
  const { id, measure, threshold } = rule;
  const refused = said.typed.do === "change" && said.typed.rule === id;
  return (
    <details open={refused}>
      <summary className="control">
        Change…<span className="sr-only"> {what}</span>
      </summary>
      <form method="post" action={RULES_PATH} className="mt-2 flex flex-wrap items-end gap-2">
        <input type="hidden" name="do" value="change" />
        <input type="hidden" name="rule" value={id} />
        <input type="hidden" name="measure" value={measure} />
        <label>
          <span className="block text-xs text-muted">
            Threshold<span className="sr-only"> of {what}</span>
          </span>
          <input
            name="threshold"
            required
            defaultValue={refused ? said.typed.threshold : formatThreshold(measure, threshold)}
            aria-invalid={refused || undefined}
            aria-describedby={refused ? said.problems.join(" ") : undefined}
            className="control w-28 aria-invalid:!border-bad"
          />
        </label>
        <button type="submit" className="control">
          Save<span className="sr-only"> the threshold of {what}</span>
        </button>
      </form>
    </details>
  );
}
