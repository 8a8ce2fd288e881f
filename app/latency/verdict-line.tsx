import { hrefOf } from "#app/_frame/view.ts";
import { formatCount, formatDuration, plural } from "#app/_ui/format.ts";
import { Glyph } from "#app/_ui/glyph.tsx";
import { Link } from "#app/_ui/link.tsx";
import { nearestEdge } from "#lib/latency.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { HowJudged } from "./definitions.tsx";
import { findingSentence, type Piece } from "./finding-sentence.ts";
import { type LatencyView, latencyHref } from "./latency-view.ts";
import { bandHref } from "./links.ts";
import { METRICS } from "./metrics.ts";
import type { Pace } from "./read.ts";
import type { Finding, Watch } from "./verdict.ts";

/** What was slow, since when, whose doing and where: one sentence for each stretch, and what is known of the rest. */
export function VerdictLine({ paces, view }: { paces: readonly Pace[]; view: LatencyView }) {
  const found = paces.flatMap(({ findings }) => findings);
  return (
    <section aria-labelledby="verdict-title" className="mt-6" data-testid="verdict">
      <div className="flex flex-wrap items-center gap-x-4">
        <h2 id="verdict-title" className="text-lg font-semibold">
          What was slow
        </h2>
        <div className="max-sm:basis-full">
          <HowJudged />
        </div>
      </div>
      <ul className="mt-1 grid gap-1 text-base">
        {found.map((finding) => (
          <li
            key={`${finding.series.modality} ${finding.series.metric}`}
            className="flex gap-2"
            data-testid={`finding-${finding.series.modality}`}
          >
            <span className="pt-1.5 text-warn">
              <Glyph name="warn" />
            </span>
            <p>
              <Sentence finding={finding} view={view} />{" "}
              <span className="text-sm text-muted">
                {formatCount(finding.calls)} calls then; usual is{" "}
                {finding.usualFrom === "week" ? "the same hours a week before" : "the middle of this range"}.
              </span>
            </p>
          </li>
        ))}
        {paces.map((pace) => (
          <Quiet key={pace.modality} pace={pace} />
        ))}
      </ul>
    </section>
  );
}

function Sentence({ finding, view }: { finding: Finding; view: LatencyView }) {
  const label = labelOf(finding);
  return findingSentence(finding, label, view).map((piece) => {
    const href = hrefOfPiece(piece, finding, view);
    return href ? (
      <Link key={piece.text} className="text-link" href={href}>
        {piece.text}
      </Link>
    ) : (
      piece.text
    );
  });
}

function hrefOfPiece({ leads }: Piece, { series, episode, usualMs, where }: Finding, view: LatencyView): string | null {
  const { modality, metric } = series;
  const range = { kind: "between", from: { at: episode.fromMs }, to: { at: episode.toMs } } as const;
  const filter = { ...view.filter, modality: [modality] };
  if (leads === "modality") return latencyHref(view, { filter });
  if (leads === "stretch") return hrefOf("/calls", view, { range, filter });
  if (leads === "slow calls")
    return bandHref(view, modality, { metric, from: nearestEdge(usualMs), to: null }, episode);
  if (leads === "feature" && where) return latencyHref(view, { filter: { ...filter, feature: [where.feature] } });
  return null;
}

/** What can be said of a modality that has no slow stretch. */
function Quiet({ pace: { findings, watch, metric, modality, strip } }: { pace: Pace }) {
  if (findings.length > 0) return null;
  const label = MODALITIES.find(({ name }) => name === modality)?.label;
  return (
    <li className="text-muted" data-testid={`quiet-${modality}`}>
      {label}: {quietText(watch, METRICS[metric].short, strip.callsTimed)}
    </li>
  );
}

function quietText(watched: Watch, what: string, callsTimed: number): string {
  if (watched.state !== "quiet")
    return `too few calls to tell a slow stretch: ${plural(callsTimed, "timed call")}, and it takes four stretches of time with 20 each.`;
  const [low, high] = [formatDuration(watched.lowMs), formatDuration(watched.highMs)];
  return `no slow stretch; p95 ${what} ${low === high ? `was ${low} all the time` : `stayed within ${low} – ${high}`}.`;
}

const labelOf = ({ series }: Finding): string =>
  MODALITIES.find(({ name }) => name === series.modality)?.label ?? "Other";
