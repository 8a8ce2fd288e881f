import WebSocket from "ws";
import type { Random } from "../random.ts";
import { BYTES_PER_MS, type RealtimeEvent, SAMPLE_RATE } from "../realtime/events.ts";
import { ROOM } from "./lines.ts";
import { DESK_SESSION } from "./opening.ts";

interface LiveVoice {
  /** `ws:` with its query. */
  url: string;
  headers: Readonly<Record<string, string>>;
  random: Random;
  signal: AbortSignal;
}

const TICK_MS = 100;
const BARGE_IN_SHARE = 0.25;
const LASTS_MS_MAX = 180_000;
const PLAYER_MS = 20;

/** An answer while it is heard: milliseconds of a monotonic clock. */
interface Heard {
  item: string;
  fromMs: number;
  madeMs: number;
}

/** A guest at a telephone: speaks, listens, sometimes interrupts, and hangs up after a few turns. Resolves when the connection is over; never rejects. */
export function speakLive({ url, headers, random, signal }: LiveVoice): Promise<void> {
  const ws = new WebSocket(url, ["realtime"], { headers, perMessageDeflate: false });
  const now = () => performance.now();
  const startedMs = now();
  let turnsLeft = 3 + random.below(4);
  /** When the guest speaks next, or does now. */
  let speech: { fromMs: number; toMs: number } | null = null;
  let heard: Heard | null = null;
  let microphone: NodeJS.Timeout | null = null;

  const send = (event: RealtimeEvent) => {
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(event));
  };
  const playsUntilMs = () => (heard === null ? 0 : heard.fromMs + heard.madeMs);

  function speakAt(fromMs: number) {
    if (turnsLeft-- > 0) speech = { fromMs, toMs: fromMs + random.logNormal(1900, 0.35) };
  }

  function tick() {
    const isSpeaking = speech !== null && now() >= speech.fromMs && now() < speech.toMs;
    send({ type: "input_audio_buffer.append", audio: isSpeaking ? LOUD : QUIET });
    if (now() - startedMs > LASTS_MS_MAX) ws.close(1000);
    else if (turnsLeft < 0 && now() > playsUntilMs() + 600) ws.close(1000);
  }

  function hear(event: RealtimeEvent) {
    switch (event.type) {
      case "session.created":
        send({ type: "session.update", session: DESK_SESSION });
        speakAt(now() + 1200);
        microphone = setInterval(tick, TICK_MS);
        return;
      case "response.output_audio.delta": {
        const ms = Buffer.byteLength(String(event.delta), "base64") / BYTES_PER_MS;
        if (heard !== null && heard.item === event.item_id) heard.madeMs += ms;
        else {
          heard = { item: String(event.item_id), fromMs: now() + PLAYER_MS, madeMs: ms };
          if (turnsLeft > 0 && random.chance(BARGE_IN_SHARE)) speakAt(now() + 700 + random.below(1800));
        }
        return;
      }
      case "input_audio_buffer.speech_started":
        return stopPlaying();
      case "response.done":
        return answered(event.response as { status: string; output: { type: string; call_id?: string }[] });
    }
  }

  function stopPlaying() {
    if (heard === null || now() >= playsUntilMs()) return;
    const heardMs = Math.max(0, Math.round(now() - heard.fromMs));
    send({ type: "conversation.item.truncate", item_id: heard.item, content_index: 0, audio_end_ms: heardMs });
    heard = null;
  }

  function answered({ status, output }: { status: string; output: { type: string; call_id?: string }[] }) {
    const call = output.find(({ type }) => type === "function_call");
    if (call) return void setTimeout(answerTool, random.logNormal(700, 0.4), call.call_id);
    if (status !== "completed" || (speech !== null && speech.toMs > now())) return;
    if (turnsLeft === 0) turnsLeft = -1;
    else speakAt(playsUntilMs() + random.logNormal(1300, 0.4));
  }

  function answerTool(call_id: string) {
    const item = { type: "function_call_output", call_id, output: ROOM.tool?.output ?? "{}" };
    send({ type: "conversation.item.create", item });
    send({ type: "response.create" });
  }

  return new Promise((resolve) => {
    const leave = () => ws.close(1001);
    signal.addEventListener("abort", leave, { once: true });
    ws.on("error", () => {});
    ws.on("message", (data) => hear(JSON.parse(String(data)) as RealtimeEvent));
    ws.on("close", () => {
      signal.removeEventListener("abort", leave);
      clearInterval(microphone ?? undefined);
      resolve();
    });
  });
}

const QUIET = Buffer.alloc(TICK_MS * BYTES_PER_MS).toString("base64");
/** A hum at 220 Hz. */
const LOUD = hum(220, 6000).toString("base64");

function hum(hertz: number, height: number): Buffer {
  const pcm = Buffer.alloc(TICK_MS * BYTES_PER_MS);
  for (let n = 0; n < pcm.length / 2; n++)
    pcm.writeInt16LE(Math.round(height * Math.sin((2 * Math.PI * hertz * n) / SAMPLE_RATE)), n * 2);
  return pcm;
}
