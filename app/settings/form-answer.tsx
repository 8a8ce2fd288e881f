import { Glyph } from "#app/_ui/glyph.tsx";
import { ALERT_PROBLEMS } from "./problems.ts";
import { DONE, type Said } from "./said.ts";

/** What became of the form that led here. A refused form to add a rule says it beside its own fields. */
export function FormAnswer({ said: { done, problems, typed } }: { said: Said }) {
  if (done)
    return (
      <p role="status" className="mt-3 flex items-center gap-2 text-good" data-testid="done">
        <Glyph name="check" />
        {DONE[done]}
      </p>
    );
  if (problems.length === 0 || typed.do === "add") return null;
  return <Problems codes={problems} />;
}

/** Each with an id that fields refer to. */
export function Problems({ codes }: { codes: Said["problems"] }) {
  return (
    <div role="alert" className="mt-3 max-w-2xl rounded-md border border-bad px-3 py-2 text-bad" data-testid="problems">
      <ul>
        {codes.map((code) => (
          <li key={code} id={code}>
            {ALERT_PROBLEMS[code].sentence}
          </li>
        ))}
      </ul>
    </div>
  );
}
