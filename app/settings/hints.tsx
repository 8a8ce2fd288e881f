import { formatCount, UNKNOWN } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { AlertHint } from "#db/queries/alert-hints.ts";
import { alertMeasure } from "#lib/alert.ts";
import { formatAlertValue } from "./alert-words.ts";
import type { Part } from "./read-part.ts";
import { Shown } from "./shown.tsx";

/** What the measures of all calls are and were: a threshold below the worst day would have been passed. */
export function Hints({ hints }: { hints: Part<readonly AlertHint[]> }) {
  return (
    <section aria-labelledby="hints-title" className="min-w-0">
      <h2 id="hints-title" className="text-lg font-semibold">
        What is usual
      </h2>
      <Shown part={hints}>
        {(all) => (
          <>
            <ScrollBox name="What is usual" className="mt-1">
              <table className="figures" data-testid="hints">
                <thead>
                  <tr>
                    <th scope="col">Of all calls</th>
                    <th scope="col">Last hour</th>
                    <th scope="col">n</th>
                    <th scope="col">Worst of the last 7 UTC days</th>
                  </tr>
                </thead>
                <tbody>
                  {all.map(({ measure, now, worstDay }) => (
                    <tr key={measure}>
                      <th scope="row">{alertMeasure(measure).label}</th>
                      <td>{formatAlertValue(measure, now.value)}</td>
                      <td className="text-muted">{now.calls === null ? "" : formatCount(now.calls)}</td>
                      <td>{worstDay === null ? UNKNOWN : formatAlertValue(measure, worstDay)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollBox>
            <p className="mt-2 text-muted">
              A p95 needs 100 calls of which it is known, an error rate 20; {UNKNOWN} is unknown. Spend stands for
              today, data lag for now, and its past is not kept. Today counts as a day.
            </p>
          </>
        )}
      </Shown>
    </section>
  );
}
