import type { DecodedExchange } from "#lib/recorder/decode-exchange.ts";
import { drawCustomer } from "../customers.ts";
import { createDays, DAY_MS } from "../moments.ts";
import type { Making } from "../others/other-calls.ts";
import { type DrawnVoice, drawVoice, type VoiceEnding } from "./draw-voice.ts";
import { type MadeSession, readVoice } from "./voice-calls.ts";

/** About how many calls a session makes: an answer and a transcription a turn. */
const CALLS_PER_SESSION = 15;
const SHARE = 0.03;
const SESSIONS_MIN = 3;
const SESSIONS_MAX = 160;
const DAYS = 30;
/** On this day before the end the desk moves to the newer model. */
const MODEL_SWITCH_DAYS = 12.4;
const LONGEST_MS = 65 * 60_000;
/** Of so many sessions one is lost and taken up again, and one is left open until it expires. */
const ONE_LOST_OF = 15;
const ONE_EXPIRED_OF = 24;

interface Period {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Of the whole company. */
  readonly calls: number;
}

/** What the desk's guests said by voice in the last thirty days. */
export function makeVoices(making: Making, { fromMs, untilMs, calls }: Period) {
  const { random, ids, decoding, origin } = making;
  const made = { calls: [] as DecodedExchange[], sessions: [] as MadeSession[] };
  const endMs = untilMs - LONGEST_MS;
  const count = Math.min(SESSIONS_MAX, Math.max(SESSIONS_MIN, Math.floor((calls * SHARE) / CALLS_PER_SESSION)));
  const days = createDays({ fromMs: Math.max(fromMs, endMs - DAYS * DAY_MS), untilMs: endMs, calls: count });
  let n = 0;
  for (const day of days)
    for (let slot = 0; slot < day.calls; slot++, n++) {
      const startedAt = day.at(slot, day.calls, random);
      const whose = whoCalls();
      if (n % ONE_LOST_OF !== 1) talk(startedAt, whose, n % ONE_EXPIRED_OF === 8 ? "expired" : "client_closed");
      else {
        const { drawn, id } = talk(startedAt, whose, "lost");
        const againAt = startedAt + drawn.endMs + 1500 + random.below(9000);
        talk(againAt, whose, "client_closed", { lines: drawn.lines, id });
      }
    }
  return made;

  function talk(
    startedAt: number,
    whose: ReturnType<typeof whoCalls>,
    ending: VoiceEnding,
    before: { lines: DrawnVoice["lines"]; id: string } | null = null,
  ) {
    const isNew = untilMs - startedAt < MODEL_SWITCH_DAYS * DAY_MS;
    const model = isNew ? "gpt-realtime" : "gpt-4o-realtime-preview-2024-12-17";
    const id = ids.at(startedAt);
    const key = ids.opaque("", 16);
    const drawn = drawVoice(random, { key, model, startedAt, ending, before: before?.lines ?? [] });
    const call = { id, startedAt, model, whose, origin, resumedFrom: before?.id ?? null };
    const read = readVoice(call, drawn, ending, decoding);
    made.calls.push(...read.calls);
    made.sessions.push(read.made);
    return { drawn, id };
  }

  function whoCalls() {
    const { name, plan, region } = drawCustomer(random);
    return {
      feature: "voice-desk",
      template: "voice_desk",
      customer: name,
      session: ids.opaque("v-", 16),
      tags: { team: "voice", plan, region },
    };
  }
}
