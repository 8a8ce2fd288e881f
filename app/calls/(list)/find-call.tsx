/** Goes to the call that a pasted id means. A plain form: works before any script has loaded. */
export function FindCall({ missing }: { missing: string | null }) {
  return (
    <form action="/calls/find" className="ml-auto flex min-w-0 flex-wrap items-center gap-2 max-sm:ml-0">
      {missing !== null && (
        <p role="status" className="text-warn">
          No call with the id “{missing}”. Request ids are looked for in the last 7 days.
        </p>
      )}
      <label className="min-w-0">
        <span className="sr-only">Call, response or request id</span>
        <input
          className="control w-64 max-w-full"
          type="search"
          name="id"
          placeholder="Call, response or request id"
          defaultValue={missing ?? ""}
          autoComplete="off"
          spellCheck={false}
          maxLength={200}
          required
        />
      </label>
      <button type="submit" className="control">
        Open
      </button>
    </form>
  );
}
