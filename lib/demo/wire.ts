import { PAGE_PNG, QUESTION_WAV, SILENCE } from "./media.ts";
import { chunkAtMs, endsAtMs, type Turn, type Used } from "./turn.ts";

/** A part of an answer's body, and when it leaves the upstream: milliseconds since the call's start. */
export interface Piece {
  readonly atMs: number;
  readonly text: string;
}

export interface WireAnswer {
  readonly status: number;
  /** Name, value, name, value… */
  readonly headers: readonly string[];
  readonly headAtMs: number;
  readonly pieces: readonly Piece[];
}

export const CHAT_PATH = "/v1/chat/completions";

/** The request of a call as a client of OpenAI's would send it. */
export function requestBody({ script, version, asked, streamed }: Turn): string {
  const { template, ask } = script;
  return JSON.stringify({
    model: asked,
    messages: [
      { role: "system", content: version.instructions },
      { role: "user", content: contentOf(template.kind, ask) },
    ],
    ...(template.kind === "audio"
      ? { modalities: ["text", "audio"], audio: { voice: "alloy", format: "pcm16" } }
      : { temperature: 0.3 }),
    ...(template.tool && {
      tools: [{ type: "function", function: { name: template.tool, parameters: { type: "object", properties: {} } } }],
    }),
    max_completion_tokens: 2000,
    ...(streamed && { stream: true, stream_options: { include_usage: true } }),
  });
}

function contentOf(kind: "text" | "vision" | "audio", ask: string): unknown {
  if (kind === "text") return ask;
  if (kind === "vision")
    return [
      { type: "text", text: ask },
      { type: "image_url", image_url: { url: `data:image/png;base64,${PAGE_PNG}`, detail: "high" } },
    ];
  return [
    { type: "text", text: ask },
    { type: "input_audio", input_audio: { data: QUESTION_WAV, format: "wav" } },
  ];
}

/** The answer of the upstream, whole or as the events of a stream. A cut stream has the events that were seen. */
export function answerOf(turn: Turn): WireAnswer {
  const { ending, streamed, pace, requestId } = turn;
  const refused = REFUSALS[ending.kind];
  const isStream = streamed && !refused;
  return {
    status: refused?.status ?? 200,
    headers: [
      "content-type",
      isStream ? "text/event-stream; charset=utf-8" : "application/json",
      "x-request-id",
      requestId,
    ],
    headAtMs: pace.firstByteMs,
    pieces: isStream
      ? events(turn)
      : [{ atMs: pace.firstByteMs, text: JSON.stringify(refused ? { error: refused.error } : whole(turn)) }],
  };
}

const REFUSALS: Readonly<Record<string, { status: number; error: object } | undefined>> = {
  rate_limited: {
    status: 429,
    error: {
      message:
        "Rate limit reached on tokens per min (TPM): Limit 2000000, Used 1998120, Requested 4210. Please try again in 70ms.",
      type: "tokens",
      param: null,
      code: "rate_limit_exceeded",
    },
  },
  server_error: {
    status: 500,
    error: {
      message: "The server had an error processing your request. Sorry about that! You can retry your request.",
      type: "server_error",
      param: null,
      code: null,
    },
  },
};

function whole(turn: Turn) {
  const { script, used } = turn;
  const { say, tool } = script;
  const message = tool
    ? { role: "assistant", content: null, tool_calls: [{ id: turn.toolCallId, type: "function", function: tool }] }
    : { role: "assistant", content: say };
  return {
    ...head(turn, "chat.completion"),
    choices: [{ index: 0, message: { ...message, refusal: null, annotations: [] }, finish_reason: finishOf(turn) }],
    ...(used && { usage: usageBody(used) }),
  };
}

function events(turn: Turn): Piece[] {
  const { ending, pace, used } = turn;
  const base = head(turn, "chat.completion.chunk");
  const event = (atMs: number, choices: object[], usage: object | null = null): Piece => ({
    atMs,
    text: `data: ${JSON.stringify({ ...base, choices, usage })}\n\n`,
  });
  const choice = (delta: object, finish: string | null = null) => [{ index: 0, delta, finish_reason: finish }];
  const deltas = contentDeltas(turn);
  const seen = "seen" in ending ? ending.seen : deltas.length;
  const pieces = [event(pace.firstByteMs, choice({ role: "assistant", content: "", refusal: null }))];
  for (const [index, delta] of deltas.slice(0, seen).entries())
    pieces.push(event(chunkAtMs(pace, index), choice(delta)));
  if ("seen" in ending) return pieces;
  const { responseEndMs } = endsAtMs(turn, deltas.length);
  pieces.push(event(responseEndMs, choice({}, finishOf(turn))));
  if (used) pieces.push(event(responseEndMs, [], usageBody(used)));
  pieces.push({ atMs: responseEndMs, text: "data: [DONE]\n\n" });
  return pieces;
}

/** The content of a stream, one delta per chunk. */
export function contentDeltas({ script, toolCallId }: Pick<Turn, "script" | "toolCallId">): object[] {
  const { say, tool, template } = script;
  if (tool) {
    const begin = { index: 0, id: toolCallId, type: "function", function: { name: tool.name, arguments: "" } };
    const rest = (tool.arguments.match(/.{1,9}/gs) ?? []).map((text) => ({ index: 0, function: { arguments: text } }));
    return [begin, ...rest].map((call) => ({ tool_calls: [call] }));
  }
  const words = say.match(/\S+\s*/g) ?? [];
  if (template.kind !== "audio") return words.map((content) => ({ content }));
  // The words run ahead of the sound.
  return words.flatMap((transcript) => [
    { audio: { id: AUDIO_ID, transcript } },
    { audio: { id: AUDIO_ID, data: SILENCE } },
  ]);
}

const AUDIO_ID = "audio_demo";

function head({ responseId, startedAt, served }: Turn, object: string) {
  return {
    id: responseId,
    object,
    created: Math.floor(startedAt / 1000),
    model: served,
    service_tier: "default",
    system_fingerprint: `fp_${served.replaceAll(/\W/g, "").slice(-10)}`,
  };
}

const finishOf = ({ script }: Turn) => (script.tool ? "tool_calls" : "stop");

export const usageBody = (used: Used) => ({
  prompt_tokens: used.input,
  completion_tokens: used.output,
  total_tokens: used.input + used.output,
  prompt_tokens_details: {
    cached_tokens: used.cached,
    audio_tokens: used.inputAudio,
    text_tokens: used.input - used.inputAudio - used.inputImage,
    image_tokens: used.inputImage,
  },
  completion_tokens_details: {
    reasoning_tokens: used.reasoning,
    audio_tokens: used.outputAudio,
    text_tokens: used.output - used.outputAudio,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});

/** Characters of the figures in `usageBody`: all of it that differs in length between two calls. */
export function usageDigits(used: Used): number {
  const { input, output, cached, inputAudio, inputImage, outputAudio, reasoning } = used;
  return (
    digits(input) +
    digits(output) +
    digits(input + output) +
    digits(cached) +
    digits(inputAudio) +
    digits(input - inputAudio - inputImage) +
    digits(inputImage) +
    digits(reasoning) +
    digits(outputAudio) +
    digits(output - outputAudio)
  );
}

const digits = (value: number) => (value < 10 ? 1 : Math.floor(Math.log10(value)) + 1);
