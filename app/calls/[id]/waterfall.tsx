import { formatDuration } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { lastMoment, type Moments, type Stage, stagesOf } from "./stages.ts";

const COLOURS: Record<Stage["whose"], { fill: string; name: string }> = {
  client: { fill: "bg-[var(--bar)]", name: "client" },
  upstream: { fill: "bg-[color:var(--text)]", name: "upstream" },
  omnimeter: { fill: "bg-[var(--warn)]", name: "Omnimeter" },
};

/** Where the time went: every stage on one linear scale, from the request's head to the last byte delivered. */
export function Waterfall({ moments }: { moments: Moments }) {
  const stages = stagesOf(moments);
  const endMs = lastMoment(moments) || 1;
  const percent = (ms: number) => (ms / endMs) * 100;
  return (
    <ScrollBox name="Stages of the call">
      <table className="w-full min-w-[560px]">
        <caption className="sr-only">Stages of the call, in milliseconds since the request arrived</caption>
        <thead className="text-left text-xs text-muted">
          <tr>
            <th scope="col" className="w-56 py-1 font-medium">
              Stage
            </th>
            <th scope="col" className="font-medium">
              <span className="flex justify-between">
                <span>0</span>
                <span>{formatDuration(endMs)}</span>
              </span>
            </th>
            <th scope="col" className="w-24 py-1 pl-4 text-right font-medium">
              Took
            </th>
            <th scope="col" className="w-24 py-1 pl-4 text-right font-medium">
              Until
            </th>
          </tr>
        </thead>
        <tbody>
          {stages.map(({ name, whose, span, note }) => (
            <tr key={name} className="border-t border-rule">
              <th scope="row" className="whitespace-nowrap py-1 pr-4 font-normal text-left">
                {name}
                <span className="ml-1.5 text-xs text-muted">{COLOURS[whose].name}</span>
              </th>
              {span ? (
                <>
                  <td className="relative h-7">
                    <FirstToken atMs={moments.firstTokenMs} percent={percent} />
                    <span
                      className={`stage absolute inset-y-2 min-w-[2px] rounded-sm ${COLOURS[whose].fill}`}
                      style={{
                        left: `min(${percent(span.fromMs)}%, calc(100% - 2px))`,
                        width: `${percent(span.toMs - span.fromMs)}%`,
                      }}
                    />
                  </td>
                  <td className="pl-4 text-right whitespace-nowrap">{formatDuration(span.toMs - span.fromMs)}</td>
                  <td className="pl-4 text-right whitespace-nowrap text-muted">{formatDuration(span.toMs)}</td>
                </>
              ) : (
                <td colSpan={3} className="h-7 text-muted">
                  {note}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {moments.firstTokenMs !== null && (
        <p className="mt-1 text-xs text-muted">
          The line marks the first token, {formatDuration(moments.firstTokenMs)} after the request arrived.
        </p>
      )}
    </ScrollBox>
  );
}

function FirstToken({ atMs, percent }: { atMs: number | null; percent: (ms: number) => number }) {
  if (atMs === null) return null;
  return (
    <span
      aria-hidden="true"
      className="absolute inset-y-0 w-px bg-fg opacity-60"
      style={{ left: `${percent(atMs)}%` }}
    />
  );
}
