import type { VerdictWord } from "#lib/stats/verdict.ts";

const LOOKS: Record<VerdictWord, { colour: string; glyph: string }> = {
  regressed: { colour: "text-bad", glyph: "M1.5 3h9L6 10z" },
  improved: { colour: "text-good", glyph: "M1.5 9h9L6 2z" },
  "no clear change": { colour: "text-fg", glyph: "M1.5 4.5h9v1h-9zM1.5 7.5h9v1h-9z" },
  "not enough data": { colour: "text-muted", glyph: "M1.5 5h2v2h-2zM5 5h2v2H5zM8.5 5h2v2h-2z" },
};

/** A verdict's glyph, word and colour. `as` gives another word for the same verdict. */
export function VerdictMark({ word, as = word }: { word: VerdictWord; as?: string }) {
  const { colour, glyph } = LOOKS[word];
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap font-semibold ${colour}`}>
      <svg aria-hidden="true" width="12" height="12" viewBox="0 0 12 12" className="shrink-0">
        <path d={glyph} fill="currentColor" />
      </svg>
      {as}
    </span>
  );
}
