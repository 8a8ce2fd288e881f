import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { BYTES_PER_MS } from "#lib/demo/realtime/events.ts";
import { seeded } from "#tests/support/split.ts";
import { type FakeRealtime, startRealtime } from "#tests/support/upstream/realtime.ts";

/** What one voice session looked like from outside. */
export interface HeardSession {
  /** `talk`: says goodbye after some answers. `stay`: stays on the line for as long as it may. `drop`: hangs up in an answer, without a word. */
  kind: "talk" | "stay" | "drop";
  /** null: it was never opened. */
  id: string | null;
  /** As the upstream names it. */
  providerId: string | null;
  /** Responses that were done as far as this client has heard. */
  done: HeardResponse[];
  /** Every message, as sent and as heard. */
  sent: string[];
  got: string[];
  /** The Close that was heard; 1006: none. null: it was never open, or hung up itself. */
  closeCode: number | null;
  /** Its goodbye was not answered. */
  hung: boolean;
}

export interface HeardResponse {
  id: string;
  usage: Record<string, unknown>;
}

/** The upstream's name in OMNIMETER_UPSTREAMS. */
const NAME = "voice";
const TICK_MS = 20;
/** Appended each tick: time on the line goes ten times as fast as outside. */
const TICK_AUDIO_MS = 200;
/** Of those who have said goodbye. */
const PATIENCE_MS = 8000;
const ABNORMAL = 1006;

/** An upstream of conversations, each with ids of its own; one in six expires. Pauses between what the user says are sometimes too short for an answer. */
export async function startVoiceUpstream(
  seed: number,
): Promise<{ upstream: FakeRealtime; env: Record<string, string> }> {
  const random = seeded(seed);
  let count = 0;
  const upstream = await startRealtime(() => ({
    play: "conversation",
    key: `v${count++}_`,
    speech: speechOf(random),
    firstAudioAfterMs: 10,
    ...(random() < 1 / 6 && { expireAfterMs: 200 + random() * 300 }),
  }));
  return { upstream, env: { OMNIMETER_UPSTREAMS: `${NAME}=${upstream.url}` } };
}

function speechOf(random: () => number) {
  let atMs = 0;
  return Array.from({ length: 500 }, () => {
    // More than the silence that ends what was said before, and a tick.
    const fromMs = atMs + 450 + random() * 800;
    atMs = fromMs + 300 + random() * 600;
    return { fromMs, toMs: atMs };
  });
}

interface VoicesOptions {
  /** Instead of kinds by chance. */
  kind?: HeardSession["kind"];
  /** Between appends; in each of them as much is said. */
  tickMs?: number;
}

/** People who speak, one session after the other, until told to stop. */
export function startVoices(
  proxyUrl: () => string,
  count: number,
  random: () => number,
  { kind, tickMs = TICK_MS }: VoicesOptions = {},
) {
  const heard: HeardSession[] = [];
  const open = new Set<WebSocket>();
  let stopping = false;
  let onDone = () => {};
  const toldToStop = Promise.withResolvers<void>();
  const all = Promise.all(Array.from({ length: count }, loop));
  return {
    heard,
    /** Resolves at the very moment when somebody has heard that a response is done. */
    nextDone: () =>
      new Promise<void>((done) => {
        onDone = done;
      }),
    /** Whoever is on the line says goodbye. */
    async stop() {
      stopping = true;
      for (const ws of open) ws.close(1000);
      toldToStop.resolve();
      await all;
    },
  };

  async function loop() {
    while (!stopping) {
      const session = newSession(kind ?? kindAt(random()));
      heard.push(session);
      await converse(session);
      if (!stopping && session.id === null) await sleep(20);
    }
  }

  async function converse(session: HeardSession) {
    const url = `${proxyUrl().replace("http", "ws")}/u/${NAME}/v1/realtime?model=gpt-realtime`;
    const ws = new WebSocket(url, ["realtime"], { perMessageDeflate: false });
    const patience = new AbortController();
    ws.on("error", () => {});
    ws.on("upgrade", ({ headers }) => {
      session.id = headers["x-omnimeter-call-id"] as string;
    });
    ws.on("message", (data) => take(session, ws, String(data)));
    const closed = new Promise<void>((over) => {
      ws.on("close", (code) => {
        if (session.id !== null) session.closeCode = code;
        over();
      });
    });
    open.add(ws);
    const appends = setInterval(() => append(session, ws), tickMs);
    try {
      const late = toldToStop.promise.then(() => sleep(PATIENCE_MS, true, { signal: patience.signal })).catch(() => {});
      session.hung = (await Promise.race([closed, late])) === true;
    } finally {
      patience.abort();
      clearInterval(appends);
      open.delete(ws);
      if (session.hung) ws.terminate();
    }
  }

  function take(session: HeardSession, ws: WebSocket, text: string) {
    session.got.push(text);
    const event = JSON.parse(text);
    if (event.type === "session.created") session.providerId = event.session.id;
    // In the middle of an answer.
    if (session.kind === "drop" && event.type === "response.output_audio.delta" && session.done.length > 0)
      return ws.terminate();
    if (event.type !== "response.done") return;
    session.done.push({ id: event.response.id, usage: event.response.usage });
    onDone();
    if (session.kind === "talk" && session.done.length >= 3) ws.close(1000);
  }
}

/** Silence sounds the same to an upstream that has been told when somebody speaks. */
const APPEND = JSON.stringify({
  type: "input_audio_buffer.append",
  audio: Buffer.alloc(TICK_AUDIO_MS * BYTES_PER_MS).toString("base64"),
});

function append(session: HeardSession, ws: WebSocket) {
  if (ws.readyState !== ws.OPEN) return;
  ws.send(APPEND);
  session.sent.push(APPEND);
}

const kindAt = (at: number): HeardSession["kind"] => (at < 0.5 ? "talk" : at < 0.8 ? "stay" : "drop");

const newSession = (kind: HeardSession["kind"]): HeardSession => ({
  kind,
  id: null,
  providerId: null,
  done: [],
  sent: [],
  got: [],
  closeCode: null,
  hung: false,
});

export const wasCut = ({ closeCode, kind }: HeardSession): boolean => closeCode === ABNORMAL && kind !== "drop";
