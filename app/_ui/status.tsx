import type { Outcome } from "#lib/call.ts";
import { Glyph } from "./glyph.tsx";
import { OUTCOME_LOOKS } from "./outcomes.ts";

/** How a call ended: glyph, word and colour, so that none of them has to carry it alone. */
export function Status({ outcome, status }: { outcome: Outcome; status?: number | null }) {
  const { label, glyph, colour } = OUTCOME_LOOKS[outcome];
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${colour}`}>
      <Glyph name={glyph} />
      {label}
      {outcome === "failed" && status !== null && status !== undefined ? ` ${status}` : ""}
    </span>
  );
}
