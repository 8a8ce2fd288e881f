import { formatCount } from "#app/_ui/format.ts";
import { Glyph } from "#app/_ui/glyph.tsx";
import type { EquationOfAll } from "#db/queries/health-spools.ts";
import { equationVerdict } from "./equation-words.ts";

/** accepted = stored + set aside + dropped + open, with what it comes to in a sentence. */
export function Equation({ equation }: { equation: EquationOfAll }) {
  const { good, sentences } = equationVerdict(equation);
  const { accepted, stored, setAside, dropped, open, missing, surplus, atRisk } = equation;
  const terms = [
    ["stored", stored],
    ["set aside", setAside],
    ["dropped", dropped],
    ["in flight", open],
    ...(missing > 0 ? [["missing", missing] as const] : []),
  ] as const;
  return (
    <div data-testid="equation">
      <p className={`mt-1 flex max-w-4xl items-baseline gap-2 ${good ? "text-good" : "text-bad"}`}>
        <Glyph name={good ? "check" : "cross"} />
        <span data-testid="equation-verdict">{sentences.join(" ")}</span>
      </p>
      {accepted > 0 && (
        <p className="mt-1">
          <span className="font-semibold">{formatCount(accepted)}</span> accepted ={" "}
          {terms.map(([name, calls], i) => (
            <span key={name} className="whitespace-nowrap">
              {i > 0 && " + "}
              <span className="font-semibold">{formatCount(calls)}</span> {name}
            </span>
          ))}
          {surplus > 0 && ` − ${formatCount(surplus)} too many`}
        </p>
      )}
      <p className="mt-1 max-w-4xl text-muted">
        Of everything that recorders have read out of the spools, since the beginning. In flight were calls that had
        begun and not ended when the recorder stored last. What waits in a spool unread is not counted yet: the next
        table says for how long, /metrics on the proxy's port how many bytes.
        {atRisk > 0 &&
          ` The answers of ${formatCount(atRisk)} calls ended before that was written, because the disk was slow.`}
      </p>
    </div>
  );
}
