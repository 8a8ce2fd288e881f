import { hrefOf, type View } from "#app/_frame/view.ts";
import { formatCount, formatDuration, formatMoney, UNKNOWN } from "#app/_ui/format.ts";
import { Link } from "#app/_ui/link.tsx";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import { problemSentence } from "#app/calls/[id]/problem-sentence.ts";
import type { Turn } from "#lib/session.ts";
import { realtimeFactor, TURN_KINDS } from "./turn-words.ts";

/** Every turn's figures, each leading to the call of its last response. */
export function TurnsTable({ turns, view }: { turns: readonly Turn[]; view: View }) {
  return (
    <>
      <ScrollBox name="Turns" className="max-h-[70vh] overflow-y-auto">
        <table className="figures w-full" data-testid="table-turns">
          <caption className="sr-only">Turns in order, with their times</caption>
          <thead>
            <tr>
              <th scope="col">Turn</th>
              <th scope="col" className="!text-left">
                Input
              </th>
              <th scope="col">Began at</th>
              <th scope="col">First audio</th>
              <th scope="col">Model until tool</th>
              <th scope="col">Tool</th>
              <th scope="col">Audio</th>
              <th scope="col">
                <span title="Audio generated, against the time that took: above 1 it is faster than it plays">
                  Realtime factor
                </span>
              </th>
              <th scope="col">Heard</th>
              <th scope="col">Never heard</th>
              <th scope="col">Wasted</th>
              <th scope="col" className="!text-left">
                Barge-in
              </th>
              <th scope="col">
                <span title="From the user's speech to the answer's being cut">Reaction</span>
              </th>
              <th scope="col" className="!text-left">
                Ended
              </th>
            </tr>
          </thead>
          <tbody>
            {turns.map((turn) => (
              <Row key={turn.index} turn={turn} view={view} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="mt-2 max-w-4xl text-xs text-muted">
        {UNKNOWN} is unknown, or there was none. Heard is what the client says that it played, or what would have been
        played by then; wasted is the price of what was generated beyond it, at 20 tokens for a second. A barge-in is
        confirmed by the answer's being cut; a false one interrupted nothing.
      </p>
    </>
  );
}

function Row({ turn, view }: { turn: Turn; view: View }) {
  const factor = realtimeFactor(turn);
  const spoke = turn.firstAudioMs !== null;
  return (
    <tr id={`turn-${turn.index}`} className="scroll-mt-24">
      <th scope="row">
        {turn.callId === null ? (
          turn.index + 1
        ) : (
          <Link className="text-link inline-flex min-h-6 items-center" href={hrefOf(`/calls/${turn.callId}`, view)}>
            {turn.index + 1}
            <span className="sr-only">, its call</span>
          </Link>
        )}
      </th>
      <td className="!text-left">{TURN_KINDS[turn.kind].label}</td>
      <td>{formatDuration(turn.inputStartMs ?? turn.inputEndMs ?? turn.createdMs)}</td>
      <td className="font-semibold">
        {formatDuration(turn.latencyMs)}
        {turn.latencyMs !== null && !spoke && <span className="ml-1 text-xs font-normal text-muted">text</span>}
      </td>
      <td>{formatDuration(turn.modelMs)}</td>
      <td>{formatDuration(turn.toolMs)}</td>
      <td>{formatDuration(turn.audioMs)}</td>
      <td>{factor === null ? UNKNOWN : `${factor.toFixed(1)}×`}</td>
      <td>{formatDuration(turn.heardMs)}</td>
      <td>{formatDuration(turn.wastedMs)}</td>
      <td title={turn.wastedUsd === null ? undefined : `${turn.wastedUsd} USD`}>{wasted(turn)}</td>
      <td className="!text-left">{turn.bargeIn ?? ""}</td>
      <td>{formatDuration(turn.reactionMs)}</td>
      <td className="!text-left">
        {[turn.status, turn.reason].filter((word) => word !== null).join(", ") || UNKNOWN}
        {turn.problems.length > 0 && (
          <span
            className="ml-1.5 text-warn"
            title={turn.problems.map((code) => problemSentence(code) ?? code).join(" ")}
          >
            ! {formatCount(turn.problems.length)}
          </span>
        )}
      </td>
    </tr>
  );
}

function wasted({ wastedMs, wastedUsd }: Turn) {
  if (wastedUsd !== null) return formatMoney(wastedUsd);
  return wastedMs !== null && wastedMs > 0 ? <span className="text-warn">unpriced</span> : UNKNOWN;
}
