import type { Ears } from "./ears.ts";
import { scriptedEars } from "./ears.ts";
import {
  type Answer,
  answerBegun,
  answerDone,
  answerEnded,
  audioDelta,
  BYTES_PER_MS,
  type Ending,
  failed,
  itemAdded,
  itemDone,
  type RealtimeEvent,
  rateLimits,
  responseCreated,
  speechStarted,
  speechStopped,
  spoken,
  textDelta,
  toolCalled,
  transcribed,
  transcriptDelta,
  truncated,
  type Way,
} from "./events.ts";
import { createMeter } from "./meter.ts";
import { manners, newSession, updated, wayOf } from "./session.ts";
import { silence } from "./timed.ts";
import { transcriptionUsage } from "./transcription-usage.ts";

/** What the provider understands, and answers: after a call of the function, when the session has one of that name. */
export interface Reply {
  readonly heard?: string | undefined;
  readonly said: string;
  readonly tool?: { readonly name: string; readonly arguments: string } | undefined;
}

export interface ConversationOptions {
  model?: string;
  /** Makes its ids its own. */
  key?: string;
  /** Seconds since the epoch. */
  expiresAt?: number;
  /** When somebody speaks, in milliseconds of the audio that the client appends; in order. */
  speech?: readonly { fromMs: number; toMs: number }[];
  /** Instead of `speech`. */
  ears?: Ears;
  /** The first response calls this function; the one that follows its output answers. */
  tool?: { name: string; arguments: string };
  /** What is understood of speech, where that is asked for; transcribed by a model that bills tokens. */
  heard?: string;
  /** Of each answer. */
  transcript?: string;
  /** Instead of the three above: what comes next. */
  reply?: () => Reply;
  audioMs?: number | ((said: string) => number);
  /** From `response.create`, or the end of speech, to the first audio; then between its parts of 200 ms. */
  firstAudioAfterMs?: number | (() => number);
  paceMs?: number;
  /** From the end of speech until it is written down; at once unless told. */
  writtenAfterMs?: number;
}

const PART_MS = 200;

interface Speaking {
  answer: Answer;
  words: string;
  way: Way;
  /** Of audio, or of text as if it were spoken. */
  wholeMs: number;
  saidMs: number;
  timer: NodeJS.Timeout | null;
}

/**
 * The provider's side of a realtime session, as far as clients need it: it hears speech, answers, calls a function, and stops when it is
 * interrupted. `say` sends an event.
 */
export function createConversation(options: ConversationOptions, say: (event: RealtimeEvent) => void) {
  const { key = "fake", audioMs = 600, firstAudioAfterMs = 20, paceMs = 5 } = options;
  const ears = options.ears ?? scriptedEars(options.speech ?? []);
  const reply = options.reply ?? repliesOf(options);
  let session = newSession({
    id: `sess_${key}`,
    model: options.model ?? "gpt-realtime",
    expiresAt: options.expiresAt ?? 1_785_217_650,
    transcribes: options.heard !== undefined,
  });
  let meter = createMeter("");
  const conversation = new Map<string, object>();
  const counts = { item: 0, resp: 0, call: 0 };
  const nextId = (kind: keyof typeof counts) => `${kind}_${key}${++counts[kind]}`;
  let appendedMs = 0;
  /** Speech that was noticed, and not handed in. */
  let hearing: { item: string; fromMs: number } | null = null;
  let committedMs = 0;
  /** What will be said when the function has been answered. */
  let owed: Reply | null = null;
  let next: Reply | null = null;
  let current: Speaking | null = null;

  say({ type: "session.created", session });
  return { take, stop: () => clearTimeout(current?.timer ?? undefined) };

  function take(event: RealtimeEvent) {
    switch (event.type) {
      case "session.update":
        session = updated(session, event.session);
        if (counts.resp === 0) meter = createMeter(manners(session).instructions);
        return say({ type: "session.updated", session });
      case "input_audio_buffer.append":
        return listen(Buffer.from(String(event.audio), "base64"));
      case "input_audio_buffer.commit":
        return commit(nextId("item"), appendedMs - committedMs);
      case "input_audio_buffer.clear":
        committedMs = appendedMs;
        return say({ type: "input_audio_buffer.cleared" });
      case "conversation.item.create": {
        const item = { status: "completed", id: nextId("item"), ...(event.item as object) };
        conversation.set(item.id, item);
        meter.told(JSON.stringify(event.item));
        say(itemAdded(item));
        return say(itemDone(item));
      }
      case "conversation.item.retrieve": {
        const id = String(event.item_id);
        const bare = { id, object: "realtime.item", type: "message", role: "assistant", content: [] };
        return say({ type: "conversation.item.retrieved", item: conversation.get(id) ?? bare });
      }
      case "conversation.item.truncate":
        return say(truncated(String(event.item_id), Number(event.audio_end_ms)));
      case "response.create":
        return respond(wayOf((event.response as { output_modalities?: unknown } | undefined)?.output_modalities));
      case "response.cancel":
        return cancel("client_cancelled");
      default:
        say(failed("unknown_event", `Unknown event ${event.type}.`, (event.event_id as string | undefined) ?? null));
    }
  }

  function listen(pcm: Buffer) {
    const { listens, prefixMs, silenceMs, answers, isInterrupted } = manners(session);
    appendedMs += pcm.length / BYTES_PER_MS;
    if (!listens) return;
    for (const { kind, atMs } of ears.hear(pcm, silenceMs)) {
      if (kind === "started") {
        hearing = { item: nextId("item"), fromMs: atMs };
        if (isInterrupted) cancel("turn_detected");
        say(speechStarted(hearing.item, Math.max(0, atMs - prefixMs)));
      } else if (hearing) {
        const { item, fromMs } = hearing;
        hearing = null;
        say(speechStopped(item, atMs + silenceMs));
        commit(item, atMs - fromMs);
        if (answers) respond(null);
      }
    }
  }

  function commit(item: string, ms: number) {
    committedMs = appendedMs;
    meter.heard(ms);
    for (const event of spoken(item)) say(event);
    next = reply();
    const { heard } = next;
    if (heard === undefined || !manners(session).transcribes) return;
    const write = () => say(transcribed(item, heard, transcriptionUsage(ms, heard)));
    if (options.writtenAfterMs === undefined) write();
    else setTimeout(write, options.writtenAfterMs);
  }

  function respond(asked: Way | null) {
    if (current) return say(failed("conversation_already_has_active_response", "A response is being made already."));
    const { way, hasTool } = manners(session);
    const { tool, said } = owed ?? next ?? reply();
    next = null;
    const response = nextId("resp");
    say(responseCreated(response));
    say(rateLimits());
    const answer = { response, item: nextId("item") };
    if (tool && hasTool(tool.name)) {
      owed = { said };
      const timer = setTimeout(() => call(response, tool), thinksMs());
      current = { answer, words: "", way: "text", wholeMs: 0, saidMs: 0, timer };
      return;
    }
    owed = null;
    begin(answer, said, asked ?? way);
  }

  function call(response: string, { name, arguments: given }: NonNullable<Reply["tool"]>) {
    current = null;
    const made = { name, arguments: given, response, callId: nextId("call") };
    for (const event of toolCalled(made, meter.respond(given, 0))) say(event);
  }

  function begin(answer: Answer, words: string, way: Way) {
    for (const event of answerBegun(answer, way)) say(event);
    const wholeMs = typeof audioMs === "number" ? audioMs : audioMs(words);
    current = { answer, words, way, wholeMs, saidMs: 0, timer: setTimeout(speak, thinksMs()) };
  }

  function thinksMs(): number {
    return typeof firstAudioAfterMs === "number" ? firstAudioAfterMs : firstAudioAfterMs();
  }

  function speak() {
    if (!current) return;
    const { answer, words, way, wholeMs, saidMs } = current;
    if (saidMs >= wholeMs) {
      current = null;
      for (const event of answerEnded(answer, words, way)) say(event);
      return say(answerDone(answer, "completed", words, meter.respond(words, way === "audio" ? wholeMs : 0), way));
    }
    if (saidMs === 0 && way === "audio") say(transcriptDelta(answer, words));
    const ms = Math.min(PART_MS, wholeMs - saidMs);
    const [from, to] = [saidMs, saidMs + ms].map((at) => Math.round((at / wholeMs) * words.length));
    say(way === "audio" ? audioDelta(answer, silence(ms)) : textDelta(answer, words.slice(from, to)));
    current = { ...current, saidMs: saidMs + ms, timer: setTimeout(speak, paceMs) };
  }

  function cancel(reason: Exclude<Ending, "completed">) {
    if (!current) return;
    const { answer, words, way, saidMs, timer } = current;
    clearTimeout(timer ?? undefined);
    current = null;
    say(answerDone(answer, reason, words, meter.respond(words, way === "audio" ? saidMs : 0), way));
  }
}

/** The same answer each time, the first after a call of the function. */
function repliesOf({ tool, heard, transcript = "Hello there." }: ConversationOptions): () => Reply {
  let calls = tool;
  return () => {
    const reply = { heard, said: transcript, tool: calls };
    calls = undefined;
    return reply;
  };
}
