/** The list's shape, shown only when waiting has become noticeable. */
export default function Loading() {
  return (
    <div className="late" role="status" aria-label="Loading sessions">
      <div className="h-12 border-b border-rule" />
      <div className="h-10 border-b border-rule bg-surface" />
      <div className="mx-auto max-w-[1600px] px-4 py-4">
        <div className="skeleton h-28" />
        <div className="mt-12 grid gap-3">
          {Array.from({ length: 14 }, (_, i) => (
            <div key={i} className="skeleton h-5" />
          ))}
        </div>
      </div>
    </div>
  );
}
