import type { View } from "#app/_frame/view.ts";
import { formatDuration } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment, formatMomentFully, formatOffset } from "#app/_ui/time.ts";
import type { PastAlert } from "#db/queries/settings-page.ts";
import { conditionOf, formatAlertValue, subjectOf } from "./alert-words.ts";

/** Each time that a threshold was passed, newest first; those of deleted rules too. */
export function AlertHistory({ alerts, view: { nowMs, zone } }: { alerts: readonly PastAlert[]; view: View }) {
  return (
    <section aria-labelledby="history-title" className="mt-8">
      <h2 id="history-title" className="text-lg font-semibold">
        History
      </h2>
      {alerts.length === 0 ? (
        <p className="mt-1 text-muted">No alert has opened yet.</p>
      ) : (
        <>
          <ScrollBox name="History of alerts" className="mt-1">
            <table className="figures" data-testid="history">
              <thead>
                <tr>
                  <th scope="col">Opened, {formatOffset(nowMs, zone)}</th>
                  <th scope="col" className="!text-left">
                    Alert
                  </th>
                  <th scope="col" className="!text-left">
                    Rule
                  </th>
                  <th scope="col">Worst</th>
                  <th scope="col">Lasted</th>
                </tr>
              </thead>
              <tbody>
                {alerts.map((alert) => (
                  <tr key={alert.id}>
                    <td title={formatMomentFully(alert.openedAt.getTime(), zone)}>
                      {formatMoment(alert.openedAt.getTime(), zone)}
                    </td>
                    <th scope="row" className="!text-left">
                      {subjectOf(alert)}
                    </th>
                    <td className="!text-left">{conditionOf(alert)}</td>
                    <td>{formatAlertValue(alert.measure, alert.worstValue)}</td>
                    <td>{lasted(alert, nowMs)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollBox>
          <p className="mt-2 text-muted">The newest 50 at most; an alert also ends when its rule is changed.</p>
        </>
      )}
    </section>
  );
}

const lasted = ({ openedAt, closedAt }: PastAlert, nowMs: number) =>
  closedAt
    ? formatDuration(Math.max(0, closedAt.getTime() - openedAt.getTime()))
    : `${formatDuration(Math.max(0, nowMs - openedAt.getTime()))}, still open`;
