const LOOKS = {
  up: { word: "up", colour: "text-good" },
  down: { word: "down", colour: "text-bad" },
} as const;

/** A thumb, drawn, beside whatever says which one it is. */
export function Thumb({ rating }: { rating: "up" | "down" }) {
  return (
    <svg
      aria-hidden="true"
      width="14"
      height="14"
      viewBox="0 0 14 14"
      className={`shrink-0 ${LOOKS[rating].colour} ${rating === "down" ? "rotate-180" : ""}`}
    >
      <path
        d="M1.5 6.5h2v5.5h-2zM3.5 7 6 1.8c1 0 1.6.7 1.4 1.7L7 5.5h4.2c.8 0 1.4.7 1.2 1.5l-1 4c-.2.6-.6 1-1.2 1H3.5z"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.3"
        strokeLinejoin="round"
      />
    </svg>
  );
}

/** Glyph, word and colour of a rating, so that none of them has to carry it alone. */
export function Rating({ rating }: { rating: "up" | "down" }) {
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${LOOKS[rating].colour}`}>
      <Thumb rating={rating} />
      {LOOKS[rating].word}
    </span>
  );
}
