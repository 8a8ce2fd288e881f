import { plural } from "#app/_ui/format.ts";

/** After so long a wait a way out of it is offered. */
const CANCEL_AFTER = "3s";

interface Props {
  token: string;
  /** About; null: not known. */
  calls: number | null;
  unserved: string | null;
  height: string;
}

/** Stands where figures will be. React gives no life to it while the page is loading: what its form does is in cancels.tsx. */
export function Computing({ token, calls, unserved, height }: Props) {
  return (
    <div className={`late relative ${height}`} data-testid="computing">
      <div className="skeleton absolute inset-0" />
      <div className="relative flex flex-wrap items-center gap-3 p-4">
        <p role="status" className="rounded-sm bg-bg px-2 py-1">
          {sentence(calls, unserved)}
        </p>
        <form
          method="post"
          action="/reads/cancel"
          data-cancels={token}
          className="late"
          style={{ animationDelay: CANCEL_AFTER }}
        >
          <button type="submit" name="read" value={token} className="control bg-bg">
            Cancel
          </button>
        </form>
      </div>
    </div>
  );
}

function sentence(calls: number | null, unserved: string | null): string {
  const what = calls === null ? "calls" : `about ${plural(calls, "call")}`;
  return unserved ? `Computing from ${what}: no rollup answers ${unserved}.` : `Computing, of ${what}…`;
}
