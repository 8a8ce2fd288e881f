import type { ReactNode } from "react";
import { formatDuration } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { Timed } from "#db/queries/comparable-calls.ts";
import { type Axis, type AxisKind, createAxis, decades, LOG_FLOOR_MS } from "./axis.ts";
import type { ComparedStage, Comparison } from "./comparison.ts";
import { lastMoment, type Span } from "./stages.ts";
import { type Usual, usualInWords } from "./usual.ts";
import { WHOSE } from "./whose-time.tsx";

interface Props {
  call: Timed;
  comparison: Comparison;
  kind: AxisKind;
}

/** Where the time went: every stage on one scale, and beside each what it takes in comparable calls. */
export function Waterfall({ call, comparison, kind }: Props) {
  const axis = createAxis(kind, endOf(call, comparison, kind));
  const hasGhost = comparison.stages.some(({ usual }) => usual.p50 !== null);
  return (
    <>
      <ScrollBox name="Stages of the call">
        <table className="w-full min-w-[880px]" data-testid="waterfall">
          <caption className="sr-only">Stages of the call, how long each took, and how long it usually takes</caption>
          <thead className="text-left text-xs text-muted">
            <tr>
              <th scope="col" className="w-52 py-1 font-medium">
                Stage
              </th>
              <th scope="col" className="font-medium">
                <Ticks axis={axis} />
              </th>
              <th scope="col" className="w-24 py-1 pl-4 text-right font-medium">
                Took
              </th>
              <th scope="col" className="w-72 py-1 pl-4 font-medium">
                In comparable calls
              </th>
            </tr>
          </thead>
          <tbody>
            {comparison.stages.map((stage) => (
              <StageRow key={stage.name} stage={stage} axis={axis} sentMs={call.sentMs}>
                {kind === "linear" && <Markers call={call} axis={axis} />}
              </StageRow>
            ))}
          </tbody>
          <tfoot>
            <tr className="border-t border-control font-semibold">
              <th scope="row" className="py-1 text-left">
                Whole call
              </th>
              <td className="relative h-7">
                {call.durationMs !== null && (
                  <Bar axis={axis} span={{ fromMs: 0, toMs: call.durationMs }} fill="bg-rule" />
                )}
                <Ghost axis={axis} fromMs={0} usual={comparison.durationMs} />
              </td>
              <td className="pl-4 text-right whitespace-nowrap">{formatDuration(call.durationMs)}</td>
              <td className="pl-4 font-normal whitespace-nowrap text-muted">{usualInWords(comparison.durationMs)}</td>
            </tr>
          </tfoot>
        </table>
      </ScrollBox>
      <Legend call={call} kind={kind} hasGhost={hasGhost} />
    </>
  );
}

function StageRow({
  stage,
  axis,
  sentMs,
  children,
}: {
  stage: ComparedStage;
  axis: Axis;
  sentMs: number | null;
  children: ReactNode;
}) {
  const { name, whose, span, ms, note, usual } = stage;
  // What the client still sends while the upstream works is nobody's waiting.
  const waited = span && whose === "client" && sentMs !== null ? { ...span, toMs: Math.min(span.toMs, sentMs) } : span;
  return (
    <tr className="border-t border-rule">
      <th scope="row" className="whitespace-nowrap py-1 pr-4 font-normal text-left">
        {name}
        <span className="ml-1.5 text-xs text-muted">{WHOSE[whose].name}</span>
      </th>
      <td className="relative h-7">
        {children}
        {span && waited && span.toMs > waited.toMs && axis.kind === "linear" && (
          <Bar axis={axis} span={span} fill={`${WHOSE[whose].fill} opacity-40`} />
        )}
        {span && waited && <Bar axis={axis} span={axis.kind === "linear" ? waited : span} fill={WHOSE[whose].fill} />}
        {span && <Ghost axis={axis} fromMs={span.fromMs} usual={usual} />}
        {note && <span className={span ? "sr-only" : "relative whitespace-nowrap bg-bg pr-1 text-muted"}>{note}</span>}
      </td>
      <td className="pl-4 text-right whitespace-nowrap" title={(span && note) ?? undefined}>
        {span ? formatDuration(ms) : ms === 0 ? "none" : "—"}
      </td>
      <td className="pl-4 whitespace-nowrap text-muted">{usualInWords(usual)}</td>
    </tr>
  );
}

function Bar({ axis, span, fill }: { axis: Axis; span: Span; fill: string }) {
  const from = axis.kind === "linear" ? axis.at(span.fromMs) : 0;
  const to = axis.at(axis.kind === "linear" ? span.toMs : span.toMs - span.fromMs);
  return (
    <span
      className={`stage absolute inset-y-2 min-w-[2px] rounded-sm ${fill}`}
      style={{ left: `min(${from}%, calc(100% - 2px))`, width: `${to - from}%` }}
    />
  );
}

/** Where the stage would have ended at its p50, and a line from there to its p95; what lies beyond the axis runs out of it. */
function Ghost({ axis, fromMs, usual }: { axis: Axis; fromMs: number; usual: Usual }) {
  if (usual.p50 === null) return null;
  const startMs = axis.kind === "linear" ? fromMs : 0;
  const ends = [startMs + usual.p50, startMs + (usual.tail ?? usual.p50)] as const;
  const [middle, tail] = [axis.at(ends[0]), axis.at(ends[1])];
  // It would hide the bar that it stands beside.
  if (tail - axis.at(startMs) < 0.5) return null;
  return (
    <span aria-hidden="true" data-testid="ghost">
      <span
        className="stage absolute top-1/2 -mt-px h-0.5 bg-fg"
        style={{ left: `${middle}%`, width: `${tail - middle}%` }}
      />
      {ends.map(
        (ms, i) =>
          ms <= axis.endMs && (
            <span
              key={i === 0 ? "p50" : "p95"}
              className={`stage absolute w-0.5 -translate-x-1/2 bg-fg outline outline-1 outline-bg ${i === 0 ? "inset-y-1" : "inset-y-2"}`}
              style={{ left: `${axis.at(ms)}%` }}
            />
          ),
      )}
    </span>
  );
}

function Markers({ call, axis }: { call: Timed; axis: Axis }) {
  return MARKERS.map(({ of, line }) => {
    const atMs = call[of];
    return (
      atMs !== null && (
        <span
          key={of}
          aria-hidden="true"
          className={`stage absolute inset-y-0 border-l ${line}`}
          style={{ left: `${axis.at(atMs)}%` }}
        />
      )
    );
  });
}

const MARKERS = [
  { of: "firstTokenMs", line: "border-fg opacity-60", name: "first token", sample: "border-fg opacity-60" },
  {
    of: "firstAudioMs",
    line: "border-dashed border-[var(--audio)]",
    name: "first audio",
    sample: "border-dashed border-[var(--audio)]",
  },
] as const;

function Ticks({ axis }: { axis: Axis }) {
  if (axis.kind === "linear")
    return (
      <span className="flex justify-between">
        <span>0</span>
        <span>{formatDuration(axis.endMs)}</span>
      </span>
    );
  return (
    <span className="relative block h-4">
      {decades(axis.endMs).map((ms) => (
        <span key={ms} className="absolute border-l border-control pl-1" style={{ left: `${axis.at(ms)}%` }}>
          {formatTick(ms)}
        </span>
      ))}
    </span>
  );
}

const formatTick = (ms: number) => (ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`);

function Legend({ call, kind, hasGhost }: { call: Timed; kind: AxisKind; hasGhost: boolean }) {
  return (
    <p className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-xs text-muted">
      <span>
        {kind === "linear"
          ? "Linear scale: when each stage began and ended, since the request arrived."
          : `Log scale from ${LOG_FLOOR_MS} ms: how long each stage took; what took less has no length.`}
      </span>
      {kind === "linear" &&
        MARKERS.map(
          ({ of, name, sample }) =>
            call[of] !== null && (
              <span key={of} className="inline-flex items-center gap-1.5">
                <span aria-hidden="true" className={`h-3.5 border-l ${sample}`} />
                {name} {formatDuration(call[of])}
              </span>
            ),
        )}
      {hasGhost && (
        <span className="inline-flex items-center gap-1.5">
          <span aria-hidden="true" className="relative inline-block h-3.5 w-5">
            <span className="absolute top-1/2 -mt-px h-0.5 w-full bg-fg" />
            <span className="absolute inset-y-0 left-0 w-0.5 bg-fg" />
            <span className="absolute inset-y-1 right-0 w-0.5 bg-fg" />
          </span>
          p50 to p95 of comparable calls
        </span>
      )}
    </p>
  );
}

/** The call, and what it usually takes as far as that does not squeeze the call into less than half. */
function endOf(call: Timed, { stages, durationMs }: Comparison, kind: AxisKind): number {
  const usual = [...stages, { span: { fromMs: 0 }, usual: durationMs }].flatMap(({ span, usual: { p50, tail } }) =>
    span && p50 !== null ? (kind === "linear" ? span.fromMs : 0) + (tail ?? p50) : [],
  );
  const lastMs = lastMoment(call) || 1;
  const usualMs = Math.max(0, ...usual);
  return Math.max(lastMs, kind === "linear" ? Math.min(usualMs, 2 * lastMs) : usualMs);
}
