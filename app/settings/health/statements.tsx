import { formatCount, formatDuration } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { Statement } from "#db/queries/health-activity.ts";

/** The dearest statements, where Postgres counts them. */
export function Statements({ statements }: { statements: readonly Statement[] | null }) {
  if (statements === null)
    return (
      <p className="mt-1 max-w-4xl text-muted">
        Not counted: the extension pg_stat_statements is not in this database. To have it, add it to
        shared_preload_libraries, restart Postgres and run{" "}
        <code className="font-mono">create extension pg_stat_statements</code>.
      </p>
    );
  if (statements.length === 0) return <p className="mt-1 text-muted">Nothing was counted yet.</p>;
  return (
    <ScrollBox name="Dearest statements" className="mt-1">
      <table className="figures" data-testid="statements">
        <thead>
          <tr>
            <th scope="col">Time in all</th>
            <th scope="col">Mean</th>
            <th scope="col">Times, n</th>
            <th scope="col" className="!text-left">
              Statement, values left out
            </th>
          </tr>
        </thead>
        <tbody>
          {statements.map(({ text, calls, meanMs, totalMs }) => (
            <tr key={text}>
              <td>{formatDuration(totalMs)}</td>
              <td>{formatDuration(meanMs)}</td>
              <td>{formatCount(calls)}</td>
              <td className="min-w-60 !whitespace-normal !text-left font-mono [overflow-wrap:anywhere]">{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
