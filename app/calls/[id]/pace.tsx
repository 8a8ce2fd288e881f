import { formatBytes, formatCount, formatDuration, UNKNOWN } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { CallFacts } from "#db/queries/call-page.ts";
import { STALL_MS } from "#lib/call.ts";
import { type Comparison, tokensPerSecondOf } from "./comparison.ts";
import { usualInWords } from "./usual.ts";

interface Figure {
  name: string;
  value: string;
  usual: string;
}

/** How fast and how evenly the answer came, and how the request went out. */
export function Pace({ call, comparison }: { call: CallFacts; comparison: Comparison }) {
  const figures = figuresOf(call, comparison);
  if (figures.length === 0) return <p className="text-muted">When its parts came was not seen.</p>;
  return (
    <>
      <ScrollBox name="Pace">
        <table className="figures" data-testid="table-pace">
          <caption className="sr-only">Pace of the call, and of comparable calls</caption>
          <thead>
            <tr>
              <th scope="col">Figure</th>
              <th scope="col">This call</th>
              <th scope="col">In comparable calls</th>
            </tr>
          </thead>
          <tbody>
            {figures.map(({ name, value, usual }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{value}</td>
                <td className="text-muted">{usual}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      {call.streamed && (
        <p className="mt-2 text-muted">
          First text is the first that a person can read: reasoning, tool arguments and audio are none. Token speed:
          output tokens but the first, as the provider counted them, per second between the first and the last content
          chunk. Its p5 is the speed of the slowest twentieth.
        </p>
      )}
    </>
  );
}

function figuresOf(call: CallFacts, comparison: Comparison): Figure[] {
  const { n, newConnections } = comparison;
  const figures: Figure[] = [];
  const add = (name: string, value: string, usual: string) => figures.push({ name, value, usual });
  if (call.streamed) {
    add("First token", formatDuration(call.firstTokenMs), usualInWords(comparison.firstTokenMs));
    if (call.firstTextMs !== call.firstTokenMs)
      add("First text", formatDuration(call.firstTextMs), usualInWords(comparison.firstTextMs));
    if (call.firstAudioMs !== null || comparison.firstAudioMs.n > 0)
      add("First audio", formatDuration(call.firstAudioMs), usualInWords(comparison.firstAudioMs));
    const speed = tokensPerSecondOf(call);
    const usualSpeed = usualInWords(comparison.tokensPerSecond, formatSpeed, "p5");
    add("Token speed", speed === null ? UNKNOWN : formatSpeed(speed), usualSpeed);
    add("Longest gap", formatDuration(call.longestGapMs), usualInWords(comparison.longestGapMs));
    add(STALLS, formatCount(call.stalls), usualInWords(comparison.stalls, formatCount));
    add("Content chunks", formatCount(call.contentChunks), usualInWords(comparison.contentChunks, formatCount));
  }
  // What came out of another exchange was not sent by itself.
  if (call.parentId !== null) return figures;
  add("Connection", connectionOf(call), n > 0 ? `new in ${formatCount(newConnections)} of ${formatCount(n)}` : UNKNOWN);
  add("Request", formatBytes(call.requestBytes), usualInWords(comparison.requestBytes, formatBytes));
  add("Request upload", formatDuration(call.requestEndMs), usualInWords(comparison.uploadMs));
  return figures;
}

function connectionOf({ sentMs, connectMs, status }: CallFacts): string {
  if (sentMs === null) return "none";
  if (status === SWITCHING_PROTOCOLS) return "new, a WebSocket";
  return connectMs === null ? "reused" : `new, set up in ${formatDuration(connectMs)}`;
}

const STALLS = `Pauses over ${formatDuration(STALL_MS)}`;
const SWITCHING_PROTOCOLS = 101;
const formatSpeed = (tokensPerSecond: number) =>
  `${tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : formatCount(tokensPerSecond)} tokens/s`;
