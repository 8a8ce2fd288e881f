import { Popover } from "#app/_ui/popover.tsx";
import { LATENCY_METRICS } from "#lib/latency.ts";
import { METRICS } from "./metrics.ts";

/** What the figures mean, for those who ask. */
export function Definitions() {
  return (
    <Popover label="Definitions" testId="definitions">
      <dl className="grid w-[26rem] max-w-[80vw] gap-2 p-2">
        {LATENCY_METRICS.map((metric) => (
          <div key={metric}>
            <dt className="font-semibold">{METRICS[metric].label}</dt>
            <dd className="text-muted">{METRICS[metric].definition}</dd>
          </div>
        ))}
        <div>
          <dt className="font-semibold">Which calls</dt>
          <dd className="text-muted">
            Completed ones whose whole course was seen. Audio is a call with audio in or out, image one with an image,
            text any other. Failed, truncated and unreachable calls are in the error rate, what clients gave up is not.
          </dd>
        </div>
        <div>
          <dt className="font-semibold">Whose time</dt>
          <dd className="text-muted">
            The client's until its request was here, Omnimeter's own as above, the upstream's is the rest. The three sum
            to the duration.
          </dd>
        </div>
        <div>
          <dt className="font-semibold">Percentiles</dt>
          <dd className="text-muted">
            Counted in bins of 2 %, so right to 1 %. Shown from 20 calls (p50), 100 (p95) and 500 (p99) on; in one
            column of a chart from 5, 20 and 100 on, to be read with its neighbours.
          </dd>
        </div>
        <div>
          <dt className="font-semibold">Excess</dt>
          <dd className="text-muted">
            Seconds by which calls took longer than the median of the same feature, model and endpoint in the same hours
            a week before. A route with fewer than 20 calls then has none.
          </dd>
        </div>
      </dl>
    </Popover>
  );
}

/** By what rule a stretch is called slow. */
export function HowJudged() {
  return (
    <Popover label="How is this judged?" testId="how-judged">
      <div className="grid w-[26rem] max-w-[80vw] gap-2 p-2 text-sm text-muted">
        <p>
          The range is cut into columns, as fine as leaves at least 20 calls in most of them. A column is slow when its
          p95 is at least 1.5 times the usual and 100 ms above it; for Omnimeter's own time, 3 times the usual and at
          least 50 ms. Neighbouring slow columns are one stretch; one column between them may be missing. The latest
          stretch is told.
        </p>
        <p>
          Usual is the p95 of the same hours a week before, where there were 100 calls, else the middle column of this
          range.
        </p>
        <p>
          A stretch of waiting must also stand out from how much columns scatter by themselves. Of quiet ranges, fewer
          than one in twenty shows one by chance.
        </p>
        <p>
          The excess is what calls of the stretch take more than usual, in means: of the client's, Omnimeter's and the
          upstream's time, and of each feature's calls.
        </p>
      </div>
    </Popover>
  );
}
