import {
  type Answer,
  answerBegun,
  answerDone,
  audioDelta,
  BYTES_PER_MS,
  type Ending,
  type RealtimeEvent,
  rateLimits,
  responseCreated,
  speechStarted,
  speechStopped,
  spoken,
  type ToolCall,
  toolCalled,
  transcriptDelta,
} from "./events.ts";

/** An event of a session and when it is said, in milliseconds since the connection was opened. */
export interface TimedEvent {
  from: "client" | "server";
  atMs: number;
  event: RealtimeEvent;
}

/** What server VAD is told to do, and does. */
export const PREFIX_MS = 300;
export const SILENCE_MS = 200;
/** What the audio clock of a microphone that is always on is behind the connection's. */
export const MICROPHONE_ON_MS = 100;

/** How the audio of an event is written: as base64 of silence, or as the proxy leaves it. */
export type AudioText = (ms: number) => string;
export const silence: AudioText = (ms) => Buffer.alloc(BYTES_PER_MS * ms).toString("base64");
/** 48 bytes are 64 characters, without padding. */
export const elided: AudioText = (ms) => `elided:${elidedCharacters(ms)}`;
export const elidedCharacters = (ms: number): number => (BYTES_PER_MS * ms * 4) / 3;

export const client = (atMs: number, event: RealtimeEvent): TimedEvent => ({ from: "client", atMs, event });
export const server = (atMs: number, event: RealtimeEvent): TimedEvent => ({ from: "server", atMs, event });

/** Each append is sent when its `stepMs` are over. */
export function microphone(untilMs: number, stepMs: number, audio: AudioText = silence): TimedEvent[] {
  const append = { type: "input_audio_buffer.append", audio: audio(stepMs) };
  const count = Math.floor((untilMs - MICROPHONE_ON_MS) / stepMs);
  return Array.from({ length: count }, (_, i) => client(MICROPHONE_ON_MS + stepMs * (i + 1), append));
}

/** Heard 60 ms after it began, and known to be over 210 ms after it ended. */
export function speech(item: string, fromMs: number, toMs: number): TimedEvent[] {
  const [committed, added, done] = spoken(item);
  return [
    ...noise(item, fromMs, toMs),
    server(toMs + 212, committed),
    server(toMs + 214, added),
    server(toMs + 215, done),
  ];
}

/** Something that sounds like speech, and comes to nothing. */
export const noise = (item: string, fromMs: number, toMs: number): TimedEvent[] => [
  server(fromMs + 60, speechStarted(item, fromMs - MICROPHONE_ON_MS - PREFIX_MS)),
  server(toMs + 210, speechStopped(item, toMs - MICROPHONE_ON_MS + SILENCE_MS)),
];

const created = (response: string, atMs: number): TimedEvent[] => [
  server(atMs, responseCreated(response)),
  server(atMs + 1, rateLimits()),
];

interface Saying {
  createdMs: number;
  firstMs: number;
  /** Milliseconds of each delta. */
  parts: readonly number[];
  text: string;
  /** Between deltas. */
  paceMs?: number;
  audio?: AudioText;
}

/** Up to its last audio. */
export function answer(
  said: Answer,
  { createdMs, firstMs, parts, text, paceMs = 50, audio = silence }: Saying,
): TimedEvent[] {
  return [
    ...created(said.response, createdMs),
    ...answerBegun(said).map((event, i) => server(createdMs + 2 + i, event)),
    server(firstMs - 30, transcriptDelta(said, text)),
    ...parts.map((ms, i) => server(firstMs + paceMs * i, audioDelta(said, audio(ms)))),
  ];
}

export function toolCall(call: ToolCall, createdMs: number, calledMs: number, used: object): TimedEvent[] {
  const [item, delta, whole, itemDone, response] = toolCalled(call, used);
  return [
    ...created(call.response, createdMs),
    server(createdMs + 2, item),
    server(calledMs - 20, delta),
    server(calledMs, whole),
    server(calledMs + 10, itemDone),
    server(calledMs + 20, response),
  ];
}

export const done = (atMs: number, said: Answer, ending: Ending, used: object, transcript = "(as said)"): TimedEvent =>
  server(atMs, answerDone(said, ending, transcript, used));

export const truncate = (atMs: number, item: string, heardMs: number): TimedEvent =>
  client(atMs, { type: "conversation.item.truncate", item_id: item, content_index: 0, audio_end_ms: heardMs });

/** In the order in which they are said, server events with ids. */
export function finished(name: string, events: TimedEvent[]): TimedEvent[] {
  return events
    .sort((a, b) => a.atMs - b.atMs)
    .map((one, i) =>
      one.from === "client" ? one : { ...one, event: { event_id: `event_${name}${i}`, ...one.event } },
    );
}
