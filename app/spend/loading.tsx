/** The page's shape, shown only when waiting has become noticeable. */
export default function Loading() {
  return (
    <div className="late" role="status" aria-label="Adding up the spend">
      <div className="h-12 border-b border-rule" />
      <div className="h-10 border-b border-rule bg-surface" />
      <div className="mx-auto max-w-[1600px] px-4 py-4">
        <div className="mt-10 grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
          {Array.from({ length: 6 }, (_, i) => (
            <div key={i} className="skeleton h-24" />
          ))}
        </div>
        <div className="skeleton mt-8 h-60" />
        <div className="mt-12 grid gap-3">
          {Array.from({ length: 8 }, (_, i) => (
            <div key={i} className="skeleton h-5" />
          ))}
        </div>
      </div>
    </div>
  );
}
