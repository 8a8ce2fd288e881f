import { Link } from "#app/_ui/link.tsx";
import { LATENCY_METRICS } from "#lib/latency.ts";
import { Definitions } from "./definitions.tsx";
import { type LatencyView, latencyHref, RANKS } from "./latency-view.ts";
import { METRICS } from "./metrics.ts";

const CHOICE = "control aria-[current=true]:border-fg aria-[current=true]:bg-surface aria-[current=true]:font-semibold";

/** Which time is looked at, and which percentile stands out. A selection is of one metric, and does not outlive another. */
export function Measures({ view }: { view: LatencyView }) {
  return (
    <div className="mb-4 flex flex-wrap items-center gap-x-6 gap-y-2">
      <nav aria-label="Metric" className="flex flex-wrap items-center gap-2">
        {[null, ...LATENCY_METRICS].map((metric) => (
          <Link
            key={metric ?? "headline"}
            className={CHOICE}
            href={latencyHref(view, { metric, selection: null })}
            aria-current={metric === view.metric ? "true" : undefined}
            title={metric ? METRICS[metric].definition : "First token, first audio, or duration where there is none"}
            scroll={false}
          >
            {metric ? METRICS[metric].label : "What people wait for"}
          </Link>
        ))}
      </nav>
      <nav aria-label="Percentile" className="flex flex-wrap items-center gap-2">
        {RANKS.map((rank) => (
          <Link
            key={rank}
            className={CHOICE}
            href={latencyHref(view, { rank })}
            aria-current={rank === view.rank ? "true" : undefined}
            scroll={false}
          >
            p{rank}
          </Link>
        ))}
      </nav>
      {/* First on a narrow screen: its panel needs the width. */}
      <div className="max-sm:order-first max-sm:basis-full">
        <Definitions />
      </div>
    </div>
  );
}
