import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { TALK } from "../voice/lines.ts";
import { createConversation } from "./conversation.ts";
import { loudnessEars } from "./ears.ts";
import { expired, type RealtimeEvent } from "./events.ts";

const PATH = "/v1/realtime";
const MESSAGE_BYTES_MAX = 32 << 20;
const LIVES_MS = 3_600_000;
const EXPIRED_CLOSE = [1001, "session expired"] as const;
const CHARACTERS_PER_SECOND = 15;
const PACE_MS = 45;
const PART_MS = 200;
const WRITTEN_AFTER_MS = 420;

/**
 * Plays realtime sessions on a server: speech is what is loud, and a hotel desk answers it. `newKey` makes a session's ids its own;
 * `firstAudioMs` says how long the model thinks. Returns what ends all of them.
 */
export function serveRealtime(server: Server, newKey: () => string, firstAudioMs: () => number): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has("realtime") ? "realtime" : false),
  });
  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => {});
    const url = new URL(req.url ?? "/", "http://demo");
    if (url.pathname !== PATH) return void socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    const model = url.searchParams.get("model") ?? "gpt-realtime";
    sockets.handleUpgrade(req, socket, head, (ws) => converse(ws, model));
  });

  function converse(ws: WebSocket, model: string) {
    let said = 0;
    let line = 0;
    const say = (event: RealtimeEvent) => {
      if (ws.readyState === ws.OPEN) ws.send(JSON.stringify({ event_id: `event_${++said}`, ...event }));
    };
    const conversation = createConversation(
      {
        model,
        key: newKey(),
        expiresAt: Math.floor((Date.now() + LIVES_MS) / 1000),
        ears: loudnessEars(),
        reply: () => TALK[line++ % TALK.length] as (typeof TALK)[number],
        audioMs: (words) => Math.ceil(((words.length / CHARACTERS_PER_SECOND) * 1000) / PART_MS) * PART_MS,
        firstAudioAfterMs: firstAudioMs,
        paceMs: PACE_MS,
        writtenAfterMs: WRITTEN_AFTER_MS,
      },
      say,
    );
    const expires = setTimeout(() => {
      say(expired());
      ws.close(...EXPIRED_CLOSE);
    }, LIVES_MS);
    ws.on("error", () => {});
    ws.on("message", (data) => {
      const event = eventIn(String(data));
      if (event) conversation.take(event);
    });
    ws.on("close", () => {
      conversation.stop();
      clearTimeout(expires);
    });
  }

  return () => {
    for (const ws of sockets.clients) ws.terminate();
  };
}

function eventIn(text: string): RealtimeEvent | null {
  try {
    const event = JSON.parse(text) as RealtimeEvent | null;
    return typeof event?.type === "string" ? event : null;
  } catch {
    return null;
  }
}
