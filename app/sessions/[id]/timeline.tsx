import { formatDuration, plural } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { Turn } from "#lib/session.ts";
import { type Bar, type BarKind, type PlacedTurn, placeTurn, type TurnAxis, turnAxis } from "./place-turn.ts";
import { BAR_WORDS, bargeInInWords, latencyInWords, TURN_KINDS } from "./turn-words.ts";

/** Position and pattern tell the kinds apart too: colour is never alone. */
const LOOKS: Record<BarKind, string> = {
  speech: "bg-[color:var(--bar)]",
  wait: "border-y border-dashed border-control !h-2.5",
  tool: "bg-warn !h-2.5",
  heard: "bg-[color:var(--audio)]",
  generated: "bg-[color:var(--audio)] opacity-60",
  wasted: "wasted border border-[color:var(--audio)]",
  text: "bg-[color:var(--text)]",
};
const SHOWN_KINDS: readonly BarKind[] = ["speech", "wait", "tool", "heard", "generated", "wasted", "text"];

/** One row per turn. All begin their wait at the same place, so that waits can be compared down the column. */
export function Timeline({ turns, turnsInAll }: { turns: readonly Turn[]; turnsInAll: number }) {
  const placed = turns.map(placeTurn);
  const axis = turnAxis(placed);
  const kinds = SHOWN_KINDS.filter((kind) => placed.some(({ bars }) => bars.some((bar) => bar.kind === kind)));
  return (
    <>
      <Legend kinds={kinds} bargeIns={turns.some(({ bargeIn }) => bargeIn !== null)} />
      <ScrollBox name="Turns on a time axis" className="mt-2 max-h-[70vh] overflow-y-auto">
        <table className="figures w-full min-w-[720px]" data-testid="timeline">
          <caption className="sr-only">
            Turns in order. Time counts from the end of the user's input, where the wait begins.
          </caption>
          <thead>
            <tr>
              <th scope="col" className="w-44">
                Turn
              </th>
              <th scope="col" className="w-full">
                <span className="sr-only">What happened when</span>
                <Ticks axis={axis} />
              </th>
            </tr>
          </thead>
          <tbody>
            {placed.map((one) => (
              <Row key={one.turn.index} placed={one} axis={axis} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="mt-2 max-w-4xl text-xs text-muted">
        Zero is the end of the user's input: {definitions(turns)}. First audio (TTFA) is the time from there to the
        first piece of audio, or of text where no audio was asked for; in a tool turn, to that of the second response.
        Audio is drawn as long as it plays; it is generated faster.
        {turnsInAll > turns.length && ` Only the first ${plural(turns.length, "turn")} of ${turnsInAll} are drawn.`}
      </p>
    </>
  );
}

function definitions(turns: readonly Turn[]): string {
  const kinds = [...new Set(turns.map(({ kind }) => kind))];
  return kinds.map((kind) => `${TURN_KINDS[kind].label.toLowerCase()}, ${TURN_KINDS[kind].from}`).join("; ");
}

function Legend({ kinds, bargeIns }: { kinds: readonly BarKind[]; bargeIns: boolean }) {
  return (
    <ul className="flex flex-wrap gap-x-5 gap-y-1 text-xs text-muted" aria-label="Legend">
      {kinds.map((kind) => (
        <li key={kind} className="flex items-center gap-1.5">
          <span aria-hidden="true" className={`stage inline-block h-2.5 w-5 rounded-sm ${LOOKS[kind]}`} />
          {BAR_WORDS[kind]}
        </li>
      ))}
      {bargeIns && (
        <li className="flex items-center gap-1.5">
          <span aria-hidden="true" className="stage inline-block h-3 border-l-2 border-fg" />
          the user speaks into it
        </li>
      )}
    </ul>
  );
}

/** Ticks that would stand on each other's text are left out by their distance. */
function Ticks({ axis }: { axis: TurnAxis }) {
  return (
    <span aria-hidden="true" className="relative block h-4">
      {axis.ticks.map((ms) => (
        <span
          key={ms}
          className={`absolute font-normal whitespace-nowrap ${axis.at(ms) > 95 ? "-translate-x-full" : axis.at(ms) < 2 ? "" : "-translate-x-1/2"}`}
          style={{ left: `${axis.at(ms)}%` }}
        >
          {ms < 0 ? `−${formatDuration(-ms)}` : ms === 0 ? "0" : formatDuration(ms)}
        </span>
      ))}
    </span>
  );
}

function Row({ placed: { turn, zeroMs, bars, bargeInMs }, axis }: { placed: PlacedTurn; axis: TurnAxis }) {
  const words = [latencyInWords(turn), bargeInInWords(turn)].filter(Boolean).join("; ");
  return (
    <tr data-testid={`turn-${turn.index}`}>
      <th scope="row" className="align-top whitespace-nowrap">
        <a className="text-link inline-flex min-h-6 items-center" href={`#turn-${turn.index}`}>
          {turn.index + 1}
        </a>{" "}
        <span className="text-muted">
          {TURN_KINDS[turn.kind].label}
          {zeroMs !== null && `, at ${formatDuration(zeroMs)}`}
        </span>
      </th>
      <td className="!text-left !whitespace-normal">
        <span aria-hidden="true" className="relative block h-5">
          <span className="absolute inset-y-0 border-l border-rule" style={{ left: `${axis.at(0)}%` }} />
          {bars.map((bar) => (
            <Segment key={`${bar.kind} ${bar.fromMs}`} bar={bar} axis={axis} />
          ))}
          {bargeInMs !== null && (
            <span
              className="stage absolute inset-y-0 border-l-2 border-fg"
              style={{ left: `${axis.at(bargeInMs)}%` }}
              title={`The user speaks into it at ${formatDuration(bargeInMs)}`}
            />
          )}
        </span>
        <span className="block text-xs text-muted">{words}</span>
      </td>
    </tr>
  );
}

function Segment({ bar: { kind, fromMs, toMs }, axis }: { bar: Bar; axis: TurnAxis }) {
  const beyond = fromMs < axis.fromMs || toMs > axis.toMs ? ", more than is drawn" : "";
  return (
    <span
      className={`stage absolute top-1/2 h-4 min-w-[2px] -translate-y-1/2 rounded-sm ${LOOKS[kind]}`}
      style={{ left: `${axis.at(fromMs)}%`, width: `${axis.at(toMs) - axis.at(fromMs)}%` }}
      title={`${BAR_WORDS[kind]} ${formatDuration(toMs - fromMs)}${beyond}`}
    />
  );
}
