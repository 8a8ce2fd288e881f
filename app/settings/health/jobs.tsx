import type { View } from "#app/_frame/view.ts";
import { formatDuration, plural } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { formatMoment, formatOffset } from "#app/_ui/time.ts";
import type { JobHealth } from "#db/queries/health-jobs.ts";
import { Shown } from "../shown.tsx";
import type { Health } from "./read-health.ts";

/**
 * After so long without an end somebody should look: some minutes for what is short, for the others longer than one turn of
 * them may take. Of jobs that are not named here nothing is expected.
 */
const OVERDUE_SECONDS: Readonly<Record<string, number>> = {
  alerts: 300,
  "set-aside": 300,
  "rebuild-rollups": 3600,
  retention: 3 * 3600,
  indexes: 6 * 3600,
};

interface Props {
  jobs: readonly JobHealth[];
  due: Health["due"];
  view: View;
}

/** What recorders do besides storing calls, one of them at a time. */
export function Jobs({ jobs, due, view: { zone } }: Props) {
  return (
    <>
      {jobs.length === 0 ? (
        <p className="mt-1 text-muted">No recorder has begun a job yet.</p>
      ) : (
        <ScrollBox name="Jobs" className="mt-1">
          <table className="figures" data-testid="jobs">
            <thead>
              <tr>
                <th scope="col">Job</th>
                <th scope="col">Done last</th>
                <th scope="col" className="!text-left">
                  Now
                </th>
              </tr>
            </thead>
            <tbody>
              {jobs.map((job) => (
                <tr key={job.name}>
                  <th scope="row">{job.name}</th>
                  <td>
                    {job.finishedSeconds === null ? "never" : `${formatDuration(job.finishedSeconds * 1000)} ago`}
                  </td>
                  <td
                    className={`min-w-48 !whitespace-normal !text-left [overflow-wrap:anywhere] ${isOverdue(job) ? "text-warn" : "text-muted"}`}
                  >
                    {nowOf(job)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
      <Shown part={due}>
        {(days) =>
          days === null ? (
            <p className="mt-2 text-muted">No day waits to be counted again.</p>
          ) : (
            <p className="mt-2 max-w-4xl text-warn" data-testid="days-due">
              {plural(days.days, "day")} of rollups {days.days === 1 ? "waits" : "wait"} to be counted again since{" "}
              {formatMoment(days.since.getTime(), zone)} {formatOffset(days.since.getTime(), zone)} ({days.reason}). The
              recorder does it day by day; until then figures of these days may be unknown.
            </p>
          )
        }
      </Shown>
    </>
  );
}

function nowOf(job: JobHealth): string {
  const held = job.holder && `held by ${job.holder}`;
  if (!isOverdue(job)) return held ?? "waits for its time";
  return `overdue: is a recorder running, and what does its log say?${held ? ` It is ${held}.` : ""}`;
}

/** Its first turn may take as long as it likes: while somebody is at it, there is no end to miss. */
export const isOverdue = ({ name, holder, finishedSeconds }: JobHealth): boolean => {
  const seconds = finishedSeconds ?? (holder ? 0 : Number.POSITIVE_INFINITY);
  return Object.hasOwn(OVERDUE_SECONDS, name) && seconds > (OVERDUE_SECONDS[name] ?? 0);
};
