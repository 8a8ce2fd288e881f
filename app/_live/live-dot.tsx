/** Pulses while a list is followed. */
export function LiveDot({ on }: { on: boolean }) {
  return (
    <span
      aria-hidden="true"
      className={`inline-block size-2 rounded-full ${on ? "pulse bg-[var(--good)]" : "border border-control"}`}
    />
  );
}
