import type { Random } from "../random.ts";
import { expired, transcribed, truncated } from "../realtime/events.ts";
import { createMeter } from "../realtime/meter.ts";
import {
  answer,
  client,
  done,
  elided,
  finished,
  microphone,
  noise,
  server,
  speech,
  type TimedEvent,
  toolCall,
  truncate,
} from "../realtime/timed.ts";
import { transcriptionUsage } from "../realtime/transcription-usage.ts";
import { DESK_INSTRUCTIONS, GREETING, LINES, type Line, ROOM } from "./lines.ts";
import { opening } from "./opening.ts";

/** How a session ends. `lost`: its connection breaks while somebody speaks. */
export type VoiceEnding = "client_closed" | "expired" | "lost";

export interface VoiceOptions {
  /** Makes its ids its own. */
  key: string;
  model: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  ending: VoiceEnding;
  /** What was said before, on a connection that was lost. */
  before: readonly Line[];
}

export interface DrawnVoice {
  events: TimedEvent[];
  /** What was said in it. */
  lines: readonly Line[];
  /** Milliseconds since its start. */
  endMs: number;
}

const HOUR_MS = 3_600_000;
const APPEND_MS = 100;
const PART_MS = 400;
/** Audio is made more than four times as fast as it is heard. */
const PACE_MS = 90;
const CHARACTERS_PER_SECOND = 15;
/** A player begins this long after the audio came. */
const PLAYER_MS = 20;
const BARGE_IN_SHARE = 0.2;
const FALSE_SHARE = 0.08;

/** A conversation by voice as it was said, on a clock of its own. */
export function drawVoice(random: Random, options: VoiceOptions): DrawnVoice {
  const { key, ending, before } = options;
  const lines = drawLines(random, before.length > 0);
  const meter = createMeter(DESK_INSTRUCTIONS);
  const events = [...opening(options), ...told()];
  let atMs = 1200 + random.below(1800);
  const lost = ending === "lost" ? 1 + random.below(lines.length - 2) : lines.length;
  for (const [n, line] of lines.entries()) {
    if (n === lost) break;
    atMs = turn(n, line, atMs, n + 1 < lost);
  }
  return ending === "lost" ? breakOff() : end();

  /** The next connection hears in writing what the one before had heard. */
  function told(): TimedEvent[] {
    if (before.length === 0) return [];
    const text = `Before the line broke: ${before.map(({ heard }) => heard).join(" ")}`;
    meter.told(text);
    const item = { type: "message", role: "user", content: [{ type: "input_text", text }] };
    return [client(180, { type: "conversation.item.create", item })];
  }

  /** When somebody speaks next. */
  function turn(n: number, line: Line, fromMs: number, isNotLast: boolean): number {
    const toMs = fromMs + drawn(line.heard.length * 62, 0.25, 500);
    const user = `item_${key}u${n}`;
    events.push(...speech(user, fromMs, toMs));
    meter.heard(toMs - fromMs);
    const writtenMs = toMs + 300 + drawn((toMs - fromMs) / 5, 0.3, 60);
    events.push(server(writtenMs, transcribed(user, line.heard, transcriptionUsage(toMs - fromMs, line.heard))));
    const askedMs = line.tool ? callTool(n, line.tool, toMs) : toMs + 190;
    const createdMs = askedMs + 30 + random.below(20);
    const firstMs = Math.max(createdMs + 60, askedMs + drawn(290, 0.35, 120));
    return reply(n, line, { createdMs, firstMs }, isNotLast);
  }

  function callTool(n: number, tool: NonNullable<Line["tool"]>, toMs: number): number {
    const call = { response: `resp_${key}t${n}`, callId: `call_${key}t${n}`, ...tool };
    const createdMs = toMs + 230;
    const calledMs = createdMs + drawn(340, 0.3, 120);
    const answeredMs = calledMs + drawn(700, 0.5, 90);
    const item = { type: "function_call_output", call_id: call.callId, output: tool.output };
    events.push(...toolCall(call, createdMs, calledMs, meter.respond(tool.arguments, 0)));
    events.push(client(answeredMs, { type: "conversation.item.create", item }));
    events.push(client(answeredMs + 4, { type: "response.create" }));
    meter.told(tool.output);
    return answeredMs + 4;
  }

  function reply(
    n: number,
    { said }: Line,
    { createdMs, firstMs }: { createdMs: number; firstMs: number },
    isNotLast: boolean,
  ): number {
    const whole = Math.ceil(((said.length / CHARACTERS_PER_SECOND) * 1000) / PART_MS);
    const heardUntilMs = firstMs + PLAYER_MS + whole * PART_MS;
    const isCut = isNotLast && random.chance(BARGE_IN_SHARE);
    const spokenIntoMs = isCut ? firstMs + Math.round((0.15 + 0.6 * random.next()) * whole * PART_MS) : null;
    // The provider stops what it has not made by then.
    const stopMs = spokenIntoMs === null ? Number.POSITIVE_INFINITY : spokenIntoMs + 90;
    const parts = Array.from({ length: whole }, () => PART_MS).filter((_, i) => firstMs + i * PACE_MS < stopMs);
    const lastMs = firstMs + (parts.length - 1) * PACE_MS;
    const isStopped = parts.length < whole;
    const doneMs = isStopped ? stopMs + 12 : lastMs + 60;
    const names = { response: `resp_${key}a${n}`, item: `item_${key}a${n}` };
    const used = meter.respond(said, parts.length * PART_MS);
    events.push(...answer(names, { createdMs, firstMs, parts, text: said, paceMs: PACE_MS, audio: elided }));
    events.push(done(doneMs, names, isStopped ? "turn_detected" : "completed", used, said));
    if (spokenIntoMs !== null) {
      const cutMs = spokenIntoMs + 60 + 15 + random.below(70);
      const heardMs = Math.min(cutMs - firstMs - PLAYER_MS, parts.length * PART_MS);
      events.push(truncate(cutMs, names.item, heardMs), server(cutMs + 18, truncated(names.item, heardMs)));
      meter.forget(parts.length * PART_MS - heardMs);
      return spokenIntoMs;
    }
    // A door, or somebody else in the room, while the answer is heard.
    if (heardUntilMs - lastMs > 2500 && random.chance(FALSE_SHARE))
      events.push(...noise(`item_${key}n${n}`, lastMs + 700, lastMs + 950));
    return heardUntilMs + drawn(1400, 0.5, 300);
  }

  function breakOff(): DrawnVoice {
    const endMs = atMs + 700 + random.below(600);
    const user = `item_${key}u${lost}`;
    events.push(...speech(user, atMs, endMs + 1000), ...microphone(endMs, APPEND_MS, elided));
    return {
      events: finished(
        key,
        events.filter((one) => one.atMs < endMs),
      ),
      lines: lines.slice(0, lost),
      endMs,
    };
  }

  function end(): DrawnVoice {
    events.push(...microphone(atMs + 300, APPEND_MS, elided));
    if (ending === "expired") events.push(server(HOUR_MS, expired()));
    const endMs = ending === "expired" ? HOUR_MS + 15 : atMs + 400 + random.below(1500);
    return { events: finished(key, events), lines, endMs };
  }

  function drawn(median: number, sigma: number, least: number): number {
    return Math.round(Math.max(least, random.logNormal(median, sigma)));
  }
}

/** Four to ten turns. */
function drawLines(random: Random, goesOn: boolean): readonly Line[] {
  const from = random.below(LINES.length);
  const count = (goesOn ? 3 : 2) + random.below(7);
  const more = Array.from({ length: count }, (_, n) => LINES[(from + n) % LINES.length] as Line);
  const at = random.below(more.length + 1);
  const lines = [...more.slice(0, at), ROOM, ...more.slice(at)];
  return goesOn ? lines : [GREETING, ...lines];
}
