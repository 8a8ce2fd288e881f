import { createHash } from "node:crypto";
import { type DecodedExchange, type DecodeOptions, decodeCalls } from "#lib/recorder/decode-exchange.ts";
import { type Customer, drawCustomer } from "../customers.ts";
import { createIds, type Ids } from "../ids.ts";
import { createDays, DAY_MS } from "../moments.ts";
import { createRandom, type Random, weighted } from "../random.ts";
import { makeVoices } from "../voice/make-voices.ts";
import type { MadeSession } from "../voice/voice-calls.ts";
import { type Answer, type Asked, refusal } from "./answer.ts";
import { OTHER_KINDS } from "./ask-other.ts";
import { drawBatch } from "./batch.ts";
import { otherExchange } from "./other-exchange.ts";
import { playOther } from "./play-other.ts";

/** What a company does beside chat completions. */
export interface Others {
  /** In the order of their ids. */
  readonly calls: readonly DecodedExchange[];
  readonly sessions: readonly MadeSession[];
}

export interface OthersOptions {
  /** Of the company: its calls say that they were spooled there, and all chance follows from it. */
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Of the whole company. */
  readonly calls: number;
  readonly decoding: DecodeOptions;
}

/** What the makers of calls share. */
export interface Making {
  readonly random: Random;
  readonly ids: Ids;
  readonly decoding: DecodeOptions;
  readonly origin: DecodedExchange["call"]["origin"];
}

const SHARE = 0.03;
const CALLS_MAX = 3000;
const REFUSED_SHARE = 0.012;
const HOUR_MS = 3_600_000;
/** The night's work is handed in after one, and done before four. */
const NIGHT = { beginsMs: 1.1 * HOUR_MS, lastsMs: 2.4 * HOUR_MS };
/** No answer takes so long. */
const ANSWER_MS_MAX = 60_000;

/** Calls of all other endpoints, each a real exchange that went through the real readers. At most about 6,000, whatever the company's size. */
export async function makeOthers({ name, fromMs, untilMs, calls, decoding }: OthersOptions): Promise<Others> {
  const random = createRandom(createHash("sha256").update(`${name} others`).digest().readUInt32LE());
  const making: Making = { random, ids: createIds(random), decoding, origin: { spool: name, run: "seed", seq: 0 } };
  const voices = makeVoices(making, { fromMs, untilMs, calls });
  const made = [
    ...(await single(making, { fromMs, untilMs: untilMs - ANSWER_MS_MAX, calls })),
    ...(await nights(making, { fromMs, untilMs, calls })),
    ...voices.calls,
  ].filter(({ call }) => call.startedAt >= fromMs && call.startedAt < untilMs);
  return { calls: made.sort((a, b) => (a.call.id < b.call.id ? -1 : 1)), sessions: voices.sessions };
}

interface Period {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly calls: number;
}

async function single(making: Making, { fromMs, untilMs, calls }: Period): Promise<DecodedExchange[]> {
  const { random } = making;
  const drawKind = weighted(OTHER_KINDS, ({ weight }) => weight);
  const made: DecodedExchange[] = [];
  const count = Math.min(CALLS_MAX, Math.floor(calls * SHARE));
  for (const day of createDays({ fromMs, untilMs, calls: count }))
    for (let slot = 0; slot < day.calls; slot++) {
      const startedAt = day.at(slot, day.calls, random);
      const kind = drawKind(random);
      const asked = kind.ask(random);
      const answer = random.chance(REFUSED_SHARE) ? refusal(random) : playOther(asked, random, startedAt);
      if (answer === null) throw new Error(`nobody plays ${asked.path}`);
      const { feature, template, tags } = kind;
      made.push(
        ...(await read(making, { startedAt, asked, answer }, { feature, template, tags }, drawCustomer(random))),
      );
    }
  return made;
}

/** Handed in once a night, and asked for when it is done. */
async function nights(making: Making, { fromMs, untilMs, calls }: Period): Promise<DecodedExchange[]> {
  const { random } = making;
  const made: DecodedExchange[] = [];
  const lines = Math.max(40, Math.floor(calls / 200));
  for (let dayMs = Math.floor(fromMs / DAY_MS) * DAY_MS; dayMs < untilMs; dayMs += DAY_MS) {
    const beganAtMs = dayMs + NIGHT.beginsMs + random.below(HOUR_MS / 10);
    const doneAtMs = beganAtMs + Math.round(NIGHT.lastsMs * (0.6 + 0.3 * random.next()));
    if (beganAtMs < fromMs || doneAtMs + ANSWER_MS_MAX > untilMs) continue;
    const { begin, done } = drawBatch(random, beganAtMs, doneAtMs, lines + random.below(lines / 4));
    const about = { feature: "nightly-batch", template: "classify_ticket", tags: { team: "data", job: "classify" } };
    made.push(...(await read(making, { startedAt: beganAtMs, ...begin }, about, null)));
    made.push(...(await read(making, { startedAt: doneAtMs + 30_000, ...done }, about, null)));
  }
  return made;
}

async function read(
  { random, ids, decoding, origin }: Making,
  { startedAt, asked, answer }: { startedAt: number; asked: Asked; answer: Answer },
  about: { feature: string; template: string | null; tags: Readonly<Record<string, string>> },
  customer: Customer | null,
): Promise<DecodedExchange[]> {
  const tags = customer ? { ...about.tags, plan: customer.plan, region: customer.region } : about.tags;
  const whose = { ...about, tags, customer: customer?.name ?? null, session: null };
  const slowness = random.logNormal(1, 0.3);
  return decodeCalls(
    otherExchange({ id: ids.at(startedAt), startedAt, asked, answer, whose, slowness, origin }),
    decoding,
  );
}
