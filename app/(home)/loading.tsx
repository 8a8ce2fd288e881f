/** The page's shape, shown only when waiting has become noticeable. */
export default function Loading() {
  return (
    <div className="late" role="status" aria-label="Loading">
      <div className="h-12 border-b border-rule" />
      <div className="mx-auto max-w-[1600px] px-4 py-4">
        <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-4">
          {Array.from({ length: 4 }, (_, i) => (
            <div key={i} className="skeleton h-32" />
          ))}
        </div>
        <div className="mt-6 grid max-w-5xl gap-3">
          {Array.from({ length: 14 }, (_, i) => (
            <div key={i} className="skeleton h-5" />
          ))}
        </div>
      </div>
    </div>
  );
}
