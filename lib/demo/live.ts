import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Feedback } from "#lib/feedback.ts";
import { attributionHeaders } from "./attribution-headers.ts";
import { drawCustomer } from "./customers.ts";
import { createTurns } from "./draw-turn.ts";
import { createIds } from "./ids.ts";
import { createJudge } from "./judge.ts";
import { DAY_MS } from "./moments.ts";
import { OTHER_KINDS } from "./others/ask-other.ts";
import { type OtherWhose, otherHeaders } from "./others/other-exchange.ts";
import { UNKNOWN_MODEL } from "./planted.ts";
import { createRandom, weighted } from "./random.ts";
import { chunkAtMs, type Turn } from "./turn.ts";
import { type DemoUpstream, startDemoUpstream } from "./upstream.ts";
import { speakLive } from "./voice/live-voice.ts";
import { CHAT_PATH, requestBody } from "./wire.ts";

export interface Live {
  readonly upstreamUrl: string;
  /** Sends calls through the proxy, about one a second, until it is stopped. */
  send(proxyUrl: string): void;
  /** No more calls; those in flight get their answer, and who speaks hangs up. */
  pause(): void;
  stop(): void;
}

const PAUSE_MS = 1000;
/** Of the calls that are sent, those that are no chat completions. */
const OTHER_SHARE = 0.07;
/** Between two guests who call the desk. */
const VOICE_PAUSE_MS = 30_000;
const VOICES_MAX = 3;
const VOICE_MODEL = "gpt-realtime";
const UNPRICED_SHARE = 0.004;
const IN_FLIGHT_MAX = 40;
/** Nobody waits minutes to see a thumb appear. */
const FEEDBACK_MS_MAX = 20_000;
const NO_SPIKE = { fromMs: 0, toMs: 0 };

/** The company goes on: an upstream that plays its answers, and the calls that it makes from now on. */
export async function startLive(nowMs: number): Promise<Live> {
  const random = createRandom(nowMs);
  const ids = createIds(random);
  const drawTurn = createTurns({ random, ids, fromMs: nowMs - 60 * DAY_MS, untilMs: nowMs, spike: NO_SPIKE });
  const judge = createJudge(random, ids);
  const drawKind = weighted(OTHER_KINDS, ({ weight }) => weight);
  const stopping = new AbortController();
  const { signal } = stopping;
  const hangingUp = new AbortController();
  let lastMs = nowMs;
  let inFlight = 0;
  let paused = false;

  /** Ids are made in the order of time, whatever the clock does. */
  function now(): number {
    lastMs = Math.max(lastMs, Date.now());
    return lastMs;
  }

  const upstream: DemoUpstream = await startDemoUpstream(({ model, streamed }) => {
    const served = { asked: model, served: model, weight: 1 };
    return { ...drawTurn({ ms: now(), feature: "search-answers", model: served, completes: true }), streamed };
  }, random);

  async function keepSending(proxyUrl: string) {
    while (!signal.aborted) {
      await sleep(random.logNormal(PAUSE_MS * 0.85, 0.6), undefined, { signal });
      if (paused || inFlight >= IN_FLIGHT_MAX) continue;
      inFlight++;
      // A proxy that is just being started again is no reason to stop.
      (random.chance(OTHER_SHARE) ? other(proxyUrl) : call(proxyUrl, next())).catch(() => {}).finally(() => inFlight--);
    }
  }

  function next(): Turn {
    const model = { asked: UNKNOWN_MODEL, served: UNKNOWN_MODEL, weight: 1 };
    if (random.chance(UNPRICED_SHARE)) return drawTurn({ ms: now(), feature: "summaries", model, completes: true });
    const turn = drawTurn({ ms: now() });
    return turn.ending.kind === "interrupted" ? next() : turn;
  }

  async function call(proxyUrl: string, turn: Turn) {
    const id = randomUUID();
    upstream.expect(id, turn);
    const callId = await send(`${proxyUrl}${CHAT_PATH}`, turn, id, signal);
    if (callId === null) return;
    for (const { feedback } of judge(turn, Date.now())) {
      const afterMs = Math.min(FEEDBACK_MS_MAX, feedback.receivedAtMs - Date.now());
      await sleep(Math.max(0, afterMs), undefined, { signal });
      await sendFeedback(`${proxyUrl}/omnimeter/v1/feedback`, feedback, callId, signal);
    }
  }

  async function other(proxyUrl: string) {
    const { ask, ...about } = drawKind(random);
    const { method, path, contentType, body } = ask(random);
    const headers = { ...headersFor(about), "content-type": contentType };
    const answer = await fetch(`${proxyUrl}/v1/${path}`, { method, headers, body: new Uint8Array(body), signal });
    await answer.arrayBuffer();
  }

  async function keepSpeaking(proxyUrl: string) {
    const url = `${proxyUrl.replace(/^http/, "ws")}/v1/realtime?model=${VOICE_MODEL}`;
    for (let voices = 0; !signal.aborted; await sleep(random.logNormal(VOICE_PAUSE_MS, 0.3), undefined, { signal })) {
      if (paused || voices >= VOICES_MAX) continue;
      voices++;
      const headers = headersFor({ feature: "voice-desk", template: "voice_desk", tags: { team: "voice" } });
      void speakLive({ url, headers, random, signal: hangingUp.signal }).finally(() => voices--);
    }
  }

  function headersFor(about: Pick<OtherWhose, "feature" | "template" | "tags">): Record<string, string> {
    const { name, plan, region } = drawCustomer(random);
    const session = about.feature === "voice-desk" ? ids.opaque("v-", 16) : null;
    const given = otherHeaders({ ...about, session, customer: name, tags: { ...about.tags, plan, region } });
    const pairs = given.flatMap((word, n) => (n % 2 ? [] : [[word, given[n + 1] as string]]));
    return { ...Object.fromEntries(pairs), authorization: "Bearer sk-demo" };
  }

  return {
    upstreamUrl: upstream.url,
    send(proxyUrl) {
      keepSending(proxyUrl).catch(() => {});
      keepSpeaking(proxyUrl).catch(() => {});
    },
    pause() {
      paused = true;
      hangingUp.abort();
    },
    stop() {
      stopping.abort();
      hangingUp.abort();
      upstream.stop();
    },
  };
}

/** The id that Omnimeter gave the call; null when the client went away before its end. */
async function send(url: string, turn: Turn, id: string, stopping: AbortSignal): Promise<string | null> {
  const { ending, pace } = turn;
  const leaves =
    ending.kind === "client_aborted" ? [AbortSignal.timeout(chunkAtMs(pace, ending.seen) + pace.tailMs)] : [];
  const headers = new Headers({
    "content-type": "application/json",
    authorization: "Bearer sk-demo",
    "x-client-request-id": id,
  });
  const given = attributionHeaders(turn);
  for (let n = 0; n < given.length; n += 2) headers.set(given[n] as string, given[n + 1] as string);
  const answer = await fetch(url, {
    method: "POST",
    headers,
    body: requestBody(turn),
    signal: AbortSignal.any([stopping, ...leaves]),
  });
  await answer.arrayBuffer();
  return answer.headers.get("x-omnimeter-call-id");
}

async function sendFeedback(url: string, feedback: Feedback, callId: string, signal: AbortSignal) {
  const { target, item, rating, score, comment, correction, labels, rater } = feedback;
  const id = target.kind === "call" ? callId : target.id;
  const body = { target: { [target.kind]: id }, item, rating, score, comment, correction, labels, rater };
  const headers = { "content-type": "application/json" };
  await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal });
}
