/** A share and its interval on a track from 0 to 100 %: one row of a forest plot. The figures stand beside it. */
export function IntervalBar({ rate, low, high }: { rate: number; low: number; high: number }) {
  return (
    <svg aria-hidden="true" width="100%" height="16" className="measure block min-w-40 overflow-visible">
      <line x1="0" x2="100%" y1="8" y2="8" stroke="var(--rule)" />
      <line x1={`${low * 100}%`} x2={`${high * 100}%`} y1="8" y2="8" stroke="var(--bar)" strokeWidth="4" />
      <circle cx={`${rate * 100}%`} cy="8" r="4" fill="var(--fg)" stroke="var(--bg)" strokeWidth="1.5" />
    </svg>
  );
}
