/** An event of a realtime session. */
export type RealtimeEvent = { type: string } & Record<string, unknown>;

export const SAMPLE_RATE = 24_000;
/** PCM16, mono, at that rate. */
export const BYTES_PER_MS = 48;

/** One response, and the item that it says. */
export interface Answer {
  response: string;
  item: string;
}

export interface ToolCall {
  response: string;
  callId: string;
  name: string;
  arguments: string;
}

/** How an answer is given. */
export type Way = "audio" | "text";

/** How a response ends: on its own, or cancelled for one of these reasons. */
export type Ending = "completed" | "turn_detected" | "client_cancelled";

/** Text and audio in, each with how much of it was cached; text and audio out. */
export function usage(
  [text, cachedText]: [number, number],
  [audio, cachedAudio]: [number, number],
  textOut: number,
  audioOut: number,
): object {
  return {
    total_tokens: text + audio + textOut + audioOut,
    input_tokens: text + audio,
    output_tokens: textOut + audioOut,
    input_token_details: {
      text_tokens: text,
      audio_tokens: audio,
      image_tokens: 0,
      cached_tokens: cachedText + cachedAudio,
      cached_tokens_details: { text_tokens: cachedText, audio_tokens: cachedAudio, image_tokens: 0 },
    },
    output_token_details: { text_tokens: textOut, audio_tokens: audioOut },
  };
}

export const speechStarted = (item: string, audioStartMs: number): RealtimeEvent => ({
  type: "input_audio_buffer.speech_started",
  audio_start_ms: audioStartMs,
  item_id: item,
});
export const speechStopped = (item: string, audioEndMs: number): RealtimeEvent => ({
  type: "input_audio_buffer.speech_stopped",
  audio_end_ms: audioEndMs,
  item_id: item,
});

/** Committed, and in the conversation. */
export function spoken(item: string): [committed: RealtimeEvent, added: RealtimeEvent, done: RealtimeEvent] {
  const content = [{ type: "input_audio", transcript: null }];
  const said = { id: item, object: "realtime.item", type: "message", status: "completed", role: "user", content };
  return [
    { type: "input_audio_buffer.committed", previous_item_id: null, item_id: item },
    itemAdded(said),
    itemDone(said),
  ];
}

/** `used`: tokens or seconds, billed apart from every response. */
export const transcribed = (item: string, transcript: string, used: object): RealtimeEvent => ({
  type: "conversation.item.input_audio_transcription.completed",
  item_id: item,
  content_index: 0,
  transcript,
  usage: used,
});

export const itemAdded = (item: object): RealtimeEvent => ({
  type: "conversation.item.added",
  previous_item_id: null,
  item,
});
export const itemDone = (item: object): RealtimeEvent => ({
  type: "conversation.item.done",
  previous_item_id: null,
  item,
});

export const responseCreated = (response: string): RealtimeEvent => ({
  type: "response.created",
  response: responseOf(response, "in_progress", null, [], null),
});

export const rateLimits = (): RealtimeEvent => ({
  type: "rate_limits.updated",
  rate_limits: [
    { name: "requests", limit: 1000, remaining: 999, reset_seconds: 0.06 },
    { name: "tokens", limit: 50_000, remaining: 45_000, reset_seconds: 6 },
  ],
});

/** What comes before the first word of an answer. */
export function answerBegun(
  answer: Answer,
  way: Way = "audio",
): [output: RealtimeEvent, item: RealtimeEvent, part: RealtimeEvent] {
  const draft = messageOf(answer, "in_progress", []);
  return [
    { type: "response.output_item.added", response_id: answer.response, output_index: 0, item: draft },
    itemAdded(draft),
    { type: "response.content_part.added", ...placeOf(answer), part: partOf(way, "") },
  ];
}

export const transcriptDelta = (answer: Answer, delta: string): RealtimeEvent => ({
  type: "response.output_audio_transcript.delta",
  ...placeOf(answer),
  delta,
});
export const textDelta = (answer: Answer, delta: string): RealtimeEvent => ({
  type: "response.output_text.delta",
  ...placeOf(answer),
  delta,
});
/** `audio`: base64. */
export const audioDelta = (answer: Answer, audio: string): RealtimeEvent => ({
  type: "response.output_audio.delta",
  ...placeOf(answer),
  delta: audio,
});

/** What comes after the last word of an answer that was not cancelled. */
export function answerEnded(answer: Answer, words: string, way: Way = "audio"): RealtimeEvent[] {
  const item = messageOf(answer, "completed", [contentOf(way, words)]);
  const over: RealtimeEvent[] =
    way === "text"
      ? [{ type: "response.output_text.done", ...placeOf(answer), text: words }]
      : [
          { type: "response.output_audio.done", ...placeOf(answer) },
          { type: "response.output_audio_transcript.done", ...placeOf(answer), transcript: words },
        ];
  return [
    ...over,
    { type: "response.content_part.done", ...placeOf(answer), part: partOf(way, words) },
    { type: "response.output_item.done", response_id: answer.response, output_index: 0, item },
    itemDone(item),
  ];
}

export function answerDone(
  answer: Answer,
  ending: Ending,
  words: string,
  used: object,
  way: Way = "audio",
): RealtimeEvent {
  const completed = ending === "completed";
  const item = messageOf(answer, completed ? "completed" : "incomplete", [contentOf(way, words)]);
  const details = completed ? null : { type: "cancelled", reason: ending };
  return {
    type: "response.done",
    response: responseOf(answer.response, completed ? "completed" : "cancelled", details, [item], used),
  };
}

/** A call of a function, from the item on; the last one is `response.done`. */
export function toolCalled(
  call: ToolCall,
  used: object,
): [item: RealtimeEvent, delta: RealtimeEvent, done: RealtimeEvent, itemDone: RealtimeEvent, response: RealtimeEvent] {
  const item = {
    id: `item_${call.response}`,
    object: "realtime.item",
    type: "function_call",
    status: "completed",
    name: call.name,
    call_id: call.callId,
    arguments: call.arguments,
  };
  const place = { response_id: call.response, item_id: item.id, output_index: 0, call_id: call.callId };
  const draft = { ...item, status: "in_progress", arguments: "" };
  return [
    { type: "response.output_item.added", response_id: call.response, output_index: 0, item: draft },
    { type: "response.function_call_arguments.delta", ...place, delta: call.arguments },
    { type: "response.function_call_arguments.done", ...place, name: call.name, arguments: call.arguments },
    { type: "response.output_item.done", response_id: call.response, output_index: 0, item },
    { type: "response.done", response: responseOf(call.response, "completed", null, [item], used) },
  ];
}

export const truncated = (item: string, heardMs: number): RealtimeEvent => ({
  type: "conversation.item.truncated",
  item_id: item,
  content_index: 0,
  audio_end_ms: heardMs,
});

export const failed = (code: string | null, message: string, eventId: string | null = null): RealtimeEvent => ({
  type: "error",
  error: { type: "invalid_request_error", code, message, param: null, event_id: eventId },
});

const SESSION_EXPIRED = "Your session hit the maximum duration of 60 minutes.";
export const expired = (): RealtimeEvent => failed("session_expired", SESSION_EXPIRED);

/** As the older protocol says it; null: it has no such event. */
export function asBeta(event: RealtimeEvent): RealtimeEvent | null {
  if (event.type === "conversation.item.done") return null;
  const type = event.type
    .replace(/^conversation\.item\.added$/, "conversation.item.created")
    .replace(/^response\.output_(audio|audio_transcript|text)\./, "response.$1.");
  return { ...event, type };
}

const placeOf = ({ response, item }: Answer) => ({
  response_id: response,
  item_id: item,
  output_index: 0,
  content_index: 0,
});

const partOf = (way: Way, words: string) =>
  way === "text" ? { type: "text", text: words } : { type: "audio", transcript: words };
const contentOf = (way: Way, words: string) =>
  way === "text" ? { type: "output_text", text: words } : { type: "output_audio", transcript: words };

const messageOf = ({ item }: Answer, status: string, content: object[]) => ({
  id: item,
  object: "realtime.item",
  type: "message",
  status,
  role: "assistant",
  content,
});

const responseOf = (
  id: string,
  status: string,
  details: object | null,
  output: object[],
  used: object | null,
): object => ({
  object: "realtime.response",
  id,
  status,
  status_details: details,
  output,
  output_modalities: ["audio"],
  usage: used,
  metadata: null,
});
