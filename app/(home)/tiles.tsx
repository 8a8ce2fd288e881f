import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatDuration, formatMoney, formatShare, plural, UNKNOWN } from "#app/_ui/format.ts";
import { formatBounds, formatRate } from "#app/_ui/format-rate.ts";
import { Link } from "#app/_ui/link.tsx";
import { Money } from "#app/_ui/money.tsx";
import { Tile } from "#app/_ui/tile.tsx";
import { timeParts } from "#app/_ui/time.ts";
import { METRICS } from "#app/latency/metrics.ts";
import { waitsOf } from "#app/sessions/(list)/totals.tsx";
import type { Spent } from "#db/queries/home-page.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { parseRange, type Range } from "#lib/range.ts";
import { type Count, wilson } from "#lib/stats/wilson.ts";
import type { DayCount, Home } from "./read-home.ts";
import type { Slowness } from "./slowest.ts";
import { today } from "./today.ts";

const DAY_MS = 86_400_000;
/** Below this a 95th percentile is little more than the slowest few. */
const P95_N_MIN = 100;

/** Four figures: money, calls, waiting, people. */
export function Tiles({ home, view }: { home: Home; view: View }) {
  return (
    <dl className="grid gap-4 sm:grid-cols-2 xl:grid-cols-4" data-testid="tiles">
      <SpendTile spent={home.today.spent} month={home.facts.month} view={view} />
      <CallsTile day={home.today.calls} before={home.lastWeek} view={view} />
      <SlowestTile slowest={home.slowest} voice={home.voice} view={view} />
      <ThumbsTile thumbs={home.thumbs} view={view} />
    </dl>
  );
}

function SpendTile({ spent, month, view }: { spent: Spent; month: Spent; view: View }) {
  const iso = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const spend = (text: string) => hrefOf("/spend", view, { range: range(text), zone: "UTC", filter: {} });
  const day = `${iso(view.nowMs)}..${iso(view.nowMs + DAY_MS)}`;
  return (
    <Tile
      name="Spend today (UTC)"
      testId="tile-spend"
      large
      href={spend(day)}
      value={<Money usd={spent.costUsd} unknownCalls={spent.callsUnpriced + spent.callsWithoutUsage} />}
    >
      <Beside spent={spent} />
      <p className="text-muted">
        <Money usd={month.costUsd} /> since the 1st of the month
        {month.callsUnpriced > 0 && `, without ${plural(month.callsUnpriced, "unpriced call")}`}
      </p>
    </Tile>
  );
}

/** How sure the amount is: shown also for one call. */
function Beside({ spent: { costEstimatedUsd, callsUnpriced, callsWithoutUsage } }: { spent: Spent }) {
  const parts = [
    Number(costEstimatedUsd) !== 0 && `${formatMoney(costEstimatedUsd)} of it estimated`,
    callsUnpriced > 0 && plural(callsUnpriced, "unpriced call"),
    callsWithoutUsage > 0 && `${plural(callsWithoutUsage, "call")} without known usage`,
  ].filter(Boolean);
  return parts.length ? <p className="text-warn">{parts.join(", ")}</p> : null;
}

function CallsTile({ day, before, view }: { day: DayCount; before: DayCount; view: View }) {
  const { fromMs, toMs } = today(view.nowMs, view.zone).day;
  const calls = { range: { kind: "between", from: { at: fromMs }, to: { at: toMs } } as const, filter: {} };
  const { minute } = timeParts(view.nowMs, view.zone);
  return (
    <Tile
      name="Operations today"
      testId="tile-calls"
      large
      href={hrefOf("/calls", view, calls)}
      value={formatCount(day.operations)}
    >
      <p className="text-muted">
        {day.operations === null
          ? "being counted again since the last upgrade; "
          : "each counted at its first attempt, of "}
        {plural(day.calls, "call")}
      </p>
      <p>
        <span className={day.errors > 0 ? "text-bad" : "text-muted"}>{formatShare(day.errors, day.calls)} errors</span>{" "}
        <span className="text-muted">
          ({plural(day.errors, "call")}), {formatCount(day.aborted)} given up by clients
        </span>
      </p>
      <p className="text-muted">
        a week ago to {minute}: {before.operations !== null && `${plural(before.operations, "operation")}, `}
        {plural(before.calls, "call")}, {formatShare(before.errors, before.calls)} errors
      </p>
    </Tile>
  );
}

const nameOf = ({ modality, metric }: Slowness) =>
  `${MODALITIES.find(({ name }) => name === modality)?.label ?? modality} ${METRICS[metric].upTo}`;

/** Slowest where there are enough calls to say so; everything else stands below with what is known of it. */
function SlowestTile({ slowest, voice, view }: { slowest: readonly Slowness[]; voice: Home["voice"]; view: View }) {
  const worst = slowest.find(({ p95Ms }) => p95Ms !== null);
  const others = slowest.filter((one) => one !== worst);
  const most = Math.max(0, ...slowest.map(({ n }) => n));
  return (
    <Tile
      name="Slowest p95, last hour"
      testId="tile-slowest"
      large
      href={hrefOf("/latency", view, { range: range("1h"), filter: worst ? { modality: [worst.modality] } : {} })}
      value={
        worst ? (
          formatDuration(worst.p95Ms)
        ) : (
          <span className="font-normal text-muted">{slowest.length ? `n = ${formatCount(most)}` : UNKNOWN}</span>
        )
      }
    >
      {worst ? (
        <p className="text-muted">
          {nameOf(worst)}, n {formatCount(worst.n)}
        </p>
      ) : (
        <p className="text-muted">
          {slowest.length ? `a p95 needs ${P95_N_MIN} calls of a kind` : "no completed call in the last hour"}
        </p>
      )}
      {others.length > 0 && (
        <p className="text-muted">
          {others
            .map((one) =>
              one.p95Ms !== null ? `${nameOf(one)} ${formatDuration(one.p95Ms)}` : `${nameOf(one)}: n = ${one.n}`,
            )
            .join(" · ")}
        </p>
      )}
      {voice.n > 0 && (
        <p className="text-muted">
          <Link href={hrefOf("/sessions", view, { range: range("1h"), filter: {} })} className="text-link">
            Voice sessions
          </Link>{" "}
          from end of speech to first audio: {waitsOf(voice)}, n {formatCount(voice.n)}
        </p>
      )}
    </Tile>
  );
}

function ThumbsTile({ thumbs, view }: { thumbs: Count; view: View }) {
  const rate = wilson(thumbs.successes, thumbs.n);
  return (
    <Tile
      name="Thumbs-up rate, last 7 days"
      testId="tile-thumbs"
      large
      href={hrefOf("/quality", view, { range: range("7d"), filter: {} })}
      value={
        rate ? (
          <>
            {formatRate(rate.rate)} <span className="text-sm font-normal text-muted">{formatBounds(rate)}</span>
          </>
        ) : (
          <span className="font-normal text-muted">{UNKNOWN}</span>
        )
      }
    >
      <p className="text-muted">
        {rate ? `n ${formatCount(thumbs.n)}; between the brackets with 95 % confidence` : "nobody has rated a call yet"}
      </p>
    </Tile>
  );
}

/** Of ranges written in this file. */
const range = (text: string) => parseRange(text) as Range;
