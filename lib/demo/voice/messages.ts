import type { RecordedMessage } from "#lib/exchange.ts";
import type { RealtimeEvent } from "../realtime/events.ts";
import type { TimedEvent } from "../realtime/timed.ts";

/** What the proxy would have recorded of these events; their audio is left out already. */
export function messagesOf(events: readonly TimedEvent[]): RecordedMessage[] {
  // A microphone says the same many times.
  const written = new Map<RealtimeEvent, Pick<RecordedMessage, "bytes" | "text">>();
  return events.map(({ from, atMs, event }) => {
    const known = written.get(event) ?? write(event);
    written.set(event, known);
    return { from, atMs, ...known };
  });
}

function write(event: RealtimeEvent): { bytes: number; text: string } {
  const text = JSON.stringify(event);
  const audio = ELIDED.exec(text);
  const left = audio ? Number(audio[1]) - audio[0].length : 0;
  return { bytes: Buffer.byteLength(text) + left, text };
}

const ELIDED = /elided:(\d+)/;
