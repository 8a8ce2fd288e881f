const PATHS = {
  check: "M2.5 6.5 5 9l4.5-6",
  cross: "M3 3l6 6M9 3 3 9",
  stop: "M6 1.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M3 9 9 3",
  broken: "M1 6h3.5M11 6H7.5M4.5 3v6M7.5 3v6",
  unplugged: "M1 6h2M9 6h2M5 3.5a2.5 2.5 0 1 0 0 5zM7 3.5a2.5 2.5 0 1 1 0 5z",
  bolt: "M7 1 3 7h3l-1 4 4-6H6z",
  child: "M3 1.5v5.5h6M6.5 4.5 9 7 6.5 9.5",
  warn: "M6 1.5 11 10.5H1zM6 5v2.5M6 9v.2",
} as const;

export type GlyphName = keyof typeof PATHS;

/** A small drawing beside a word: drawn, so that no font has to know it. */
export function Glyph({ name }: { name: GlyphName }) {
  return (
    <svg aria-hidden="true" width="12" height="12" viewBox="0 0 12 12" className="shrink-0">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
