import type { ReactNode } from "react";
import { ALERT_MEASURES } from "#lib/alert.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { windowName } from "./alert-words.ts";
import { Problems } from "./form-answer.tsx";
import { ALERT_PROBLEMS, type AlertField } from "./problems.ts";
import type { Offered } from "./read-settings.ts";
import { RULES_PATH } from "./rules-path.ts";
import type { Said } from "./said.ts";

const WINDOWS_MINUTES = [5, 15, 30, 60, 180, 360, 720, 1440, 10_080];
const WINDOW_MINUTES = "60";

/** A plain form. After a refusal it holds what was typed, and the fields that are wrong refer to their sentence. */
export function AddRule({ said, offered }: { said: Said; offered: Offered }) {
  const refused = said.typed.do === "add" && said.problems.length > 0;
  const typed: Said["typed"] = refused ? said.typed : {};
  const wrong = (field: AlertField) => {
    const codes = refused ? said.problems.filter((code) => ALERT_PROBLEMS[code].field === field) : [];
    return codes.length ? { "aria-invalid": true, "aria-describedby": codes.join(" ") } : {};
  };
  return (
    <section id="add-rule" aria-labelledby="add-rule-title" className="min-w-0">
      <h2 id="add-rule-title" className="text-lg font-semibold">
        Add a rule
      </h2>
      {refused && <Problems codes={said.problems} />}
      <form method="post" action={RULES_PATH} className="mt-3 grid max-w-2xl gap-4" data-testid="add-rule">
        <input type="hidden" name="do" value="add" />
        <div className="flex flex-wrap gap-4">
          <Field label="Tell me when">
            <select name="measure" defaultValue={typed.measure} className="control" {...wrong("measure")}>
              {ALERT_MEASURES.map(({ name, label }) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          </Field>
          <Field label="is above (with its unit)">
            <input
              name="threshold"
              required
              defaultValue={typed.threshold}
              placeholder="2 s, 5 %, 20 USD, 10 calls"
              className="control w-56"
              {...wrong("threshold")}
            />
          </Field>
          <Field label="over the last">
            <select
              name="window"
              defaultValue={isWindow(typed.window) ? typed.window : WINDOW_MINUTES}
              className="control"
              {...wrong("window")}
            >
              {WINDOWS_MINUTES.map((minutes) => (
                <option key={minutes} value={minutes}>
                  {windowName(minutes)}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <p className="text-muted">
          Spend is always of the UTC day so far, and data lag of this moment: the window means nothing to them. Spend
          and unpriced calls cannot be narrowed to a modality, data lag not at all.
        </p>
        <fieldset className="flex flex-wrap gap-4">
          <legend className="mb-1 text-sm font-semibold">Only calls of (empty: of all)</legend>
          {(["feature", "model", "environment"] as const).map((name) => (
            <Field key={name} label={name}>
              <input
                name={name}
                list={`known-${name}`}
                defaultValue={typed[name]}
                autoComplete="off"
                className="control w-44"
                {...wrong("scope")}
              />
              <datalist id={`known-${name}`}>
                {offered[name].map((value) => (
                  <option key={value} value={value} />
                ))}
              </datalist>
            </Field>
          ))}
          <Field label="modality">
            <select name="modality" defaultValue={typed.modality ?? ""} className="control" {...wrong("scope")}>
              <option value="">all</option>
              {MODALITIES.map(({ name, label }) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          </Field>
        </fieldset>
        <p>
          <button type="submit" className="control !border-accent">
            Add rule
          </button>
        </p>
      </form>
    </section>
  );
}

const isWindow = (text: string | undefined) => WINDOWS_MINUTES.some((minutes) => String(minutes) === text);

function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is its child.
    <label className="grid gap-1 [&>[aria-invalid]]:!border-bad">
      <span className="text-xs text-muted">{label}</span>
      {children}
    </label>
  );
}
