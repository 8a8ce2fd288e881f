import type { ReactNode } from "react";
import { type FormProblem, PROBLEMS, type Said } from "./said.ts";

/** What is wrong with a form, in sentences; each has an id that fields refer to. */
export function Problems({ said: { problems } }: { said: Said }) {
  return (
    <div role="alert" className="mt-3 max-w-2xl rounded-md border border-bad px-3 py-2 text-bad" data-testid="problems">
      <ul>
        {problems.map((code) => (
          <li key={code} id={code}>
            {PROBLEMS[code]}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Of a refused form: the attributes of a field that one of these codes is about. */
export function wrongBy(said: Said, codes: readonly FormProblem[]) {
  const found = said.problems.filter((code) => codes.includes(code));
  return found.length ? { "aria-invalid": true, "aria-describedby": found.join(" ") } : {};
}

export function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is its child.
    <label className="grid gap-1 [&>[aria-invalid]]:!border-bad">
      <span className="text-xs text-muted">{label}</span>
      {children}
    </label>
  );
}
