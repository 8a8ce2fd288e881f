import { toggled } from "#app/_frame/filter-text.ts";
import { hrefOf } from "#app/_frame/view.ts";
import { formatCount, formatDuration, formatShare, plural } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ModalityIcon } from "#app/_ui/modalities.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { Strip } from "#db/queries/latency-page.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { Change, PercentileFigure, rankMs, speedText } from "./figures.tsx";
import { type LatencyView, latencyHref, RANKS } from "./latency-view.ts";
import { METRICS } from "./metrics.ts";
import type { Latency, Pace } from "./read.ts";

/** One panel per modality that has calls; what has none is said in a line. */
export function Strips({ latency, view }: { latency: Latency; view: LatencyView }) {
  const { paces, strips } = latency;
  const none = MODALITIES.filter(({ name }) => !paces.some(({ modality }) => modality === name));
  const unknown = strips.find(({ modality }) => modality === "");
  return (
    <section aria-label="By modality">
      <div
        className={`grid gap-4 ${paces.length > 1 ? "lg:grid-cols-2" : "max-w-3xl"} ${paces.length > 2 ? "xl:grid-cols-3" : ""}`}
      >
        {paces.map((pace) => (
          <StripPanel key={pace.modality} pace={pace} view={view} />
        ))}
      </div>
      <p className="mt-2 text-xs text-muted">
        {none.length > 0 && `No calls with ${none.map(({ label }) => label.toLowerCase()).join(" or ")} here. `}
        {unknown &&
          `${plural(unknown.calls, "call")} of which neither input nor output is known, ${formatCount(unknown.callsFailed)} of them failed, in no panel.`}
      </p>
    </section>
  );
}

function StripPanel({ pace, view }: { pace: Pace; view: LatencyView }) {
  const { modality, strip, metric } = pace;
  const label = MODALITIES.find(({ name }) => name === modality)?.label ?? modality;
  const chosen = view.filter.modality?.includes(modality) ?? false;
  return (
    <section
      aria-labelledby={`strip-${modality}`}
      className="min-w-0 rounded-md border border-rule p-4"
      data-testid={`strip-${modality}`}
    >
      <div className="flex flex-wrap items-center justify-between gap-x-4">
        <h2 id={`strip-${modality}`} className="text-lg font-semibold">
          <Link
            className="text-link inline-flex min-h-6 items-center gap-2"
            href={latencyHref(view, { filter: toggled(view.filter, "modality", modality) })}
            title={chosen ? "Show all modalities" : `Only ${label.toLowerCase()}`}
          >
            <ModalityIcon name={modality} />
            {label}
          </Link>
        </h2>
        <span className="text-xs text-muted">
          {plural(strip.calls, "call")}, {formatCount(strip.callsTimed)} timed
        </span>
      </div>
      <Headline pace={pace} view={view} />
      <ScrollBox name={`${label}: percentiles`} className="mt-2">
        <table className="figures w-full [&_td]:!py-1 [&_td:not(:first-child)]:!px-1.5 [&_th]:!py-1 [&_th:not(:first-child)]:!px-1.5">
          <thead>
            <tr>
              <th scope="col">
                <span className="sr-only">Time</span>
              </th>
              {RANKS.map((rank) => (
                <th key={rank} scope="col" className={rank === view.rank ? "!text-fg" : ""}>
                  p{rank}
                </th>
              ))}
              <th scope="col">n</th>
            </tr>
          </thead>
          <tbody>
            {SHOWN.filter((one) => one !== "first_audio" || modality === "audio").map((one) => (
              <tr key={one} className={one === metric ? "font-semibold" : ""}>
                <th scope="row" className={one === metric ? "!font-semibold" : ""}>
                  {METRICS[one].label}
                </th>
                {RANKS.map((rank) => (
                  <td key={rank}>
                    <PercentileFigure percentiles={strip.percentiles[one]} rank={rank} />
                  </td>
                ))}
                <td className="!font-normal text-muted">{formatCount(strip.percentiles[one].n)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <Footer strip={strip} />
      {modality === "audio" && (
        <p className="mt-2 text-xs text-muted">
          Answers inside a voice session have no request of their own: from the end of somebody's speech to the first
          audio they are told by turn, in{" "}
          <Link className="text-link" href={hrefOf("/sessions", view)}>
            sessions
          </Link>
          .
        </p>
      )}
    </section>
  );
}

const SHOWN = ["first_byte", "first_token", "first_audio", "duration", "own"] as const;

function Headline({ pace: { strip, before, metric }, view }: { pace: Pace; view: LatencyView }) {
  const percentiles = strip.percentiles[metric];
  const now = rankMs(percentiles, view.rank);
  const then = before && rankMs(before.percentiles[metric], view.rank);
  return (
    <>
      <p className="mt-1 flex flex-wrap items-baseline gap-x-4">
        {RANKS.map((rank) => (
          <span key={rank} className={rank === view.rank ? "" : "text-muted"}>
            <span className="text-xs">p{rank}</span>{" "}
            <span className={rank === view.rank ? "text-num font-semibold" : "text-base"}>
              <PercentileFigure percentiles={percentiles} rank={rank} />
            </span>
          </span>
        ))}
        <span className="text-muted">
          {METRICS[metric].short}, n {formatCount(percentiles.n)}
        </span>
      </p>
      <p>
        {now !== null && then !== null ? (
          <>
            <Change nowMs={now} beforeMs={then} />{" "}
            <span className="text-muted">
              p{view.rank} against the same hours last week, n {formatCount(before?.percentiles[metric].n ?? 0)}
            </span>
          </>
        ) : (
          <span className="text-muted">{whyNoChange(now, before?.percentiles[metric].n ?? 0)}</span>
        )}
      </p>
    </>
  );
}

function whyNoChange(now: number | null, n: number): string {
  if (n === 0) return "No calls in the same hours last week to compare with";
  return now === null
    ? "Too few calls to compare with the same hours last week"
    : `Too few calls in the same hours last week to compare with, n ${formatCount(n)}`;
}

function Footer({ strip }: { strip: Strip }) {
  const { calls, callsFailed, tokensPerSecond, ownMs, upstreamMs, clientMs } = strip;
  return (
    <dl className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-xs">
      <Fact name="Errors">
        <span className={callsFailed > 0 ? "text-bad" : ""}>{formatShare(callsFailed, calls)}</span> (
        {formatCount(callsFailed)} of {formatCount(calls)})
      </Fact>
      {tokensPerSecond !== null && <Fact name="Speed">{speedText(tokensPerSecond)}</Fact>}
      {ownMs !== null && (
        <Fact name="Mean time">
          upstream {formatDuration(upstreamMs)}, Omnimeter {formatDuration(ownMs)}, client {formatDuration(clientMs)}
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="flex gap-1.5">
      <dt className="whitespace-nowrap text-muted">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
