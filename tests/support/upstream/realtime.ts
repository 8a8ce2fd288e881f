import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { type ConversationOptions, createConversation } from "#lib/demo/realtime/conversation.ts";
import { asBeta, expired, type RealtimeEvent } from "#lib/demo/realtime/events.ts";
import type { TimedEvent } from "#lib/demo/realtime/timed.ts";
import { seeded, splitBytes } from "#tests/support/split.ts";
import { fragmentedMessage, OPCODE, webSocketFrame } from "#tests/support/web-socket-frame.ts";

/** What one connection plays: events at their times, whatever the client says, or a conversation that reacts. */
export type RealtimeScript = (
  | { play: readonly TimedEvent[]; close?: { code: number; reason: string } }
  | ({ play: "conversation" } & ConversationOptions)
) & {
  names?: "ga" | "beta";
  /** How its messages reach the wire: each in one frame, in fragments with pings between, or one byte at a time. */
  framing?: "whole" | "fragments" | "bytes";
  /** Says that the session has expired, and closes. */
  expireAfterMs?: number;
};

export interface FakeRealtime {
  readonly url: string;
  /** By connection: the request, what the client said, and every message that was said to it. */
  readonly connections: {
    req: IncomingMessage;
    received: RealtimeEvent[];
    said: string[];
    close: [code: number, reason: string] | null;
  }[];
  stop(): Promise<void>;
}

interface RealtimeOptions {
  /** For what is no upgrade; without one everything is 404. */
  answer?: RequestListener;
  /** The status that refuses an upgrade; null: it is taken. */
  refuses?: (req: IncomingMessage) => number | null;
}

const EXPIRED_CLOSE = [1001, "session expired"] as const;

/** A server that speaks the realtime protocol; `script` is asked for each connection, from 0. It takes the subprotocol `realtime` and no other. */
export async function startRealtime(
  script: (connection: number) => RealtimeScript,
  { answer = (_, res) => void res.writeHead(404).end(), refuses = () => null }: RealtimeOptions = {},
): Promise<FakeRealtime> {
  const connections: FakeRealtime["connections"] = [];
  const server = createServer(answer);
  const sockets = new WebSocketServer({
    server,
    maxPayload: 64 << 20,
    perMessageDeflate: true,
    verifyClient: ({ req }, done) => {
      const status = refuses(req);
      done(status === null, status ?? undefined);
    },
    handleProtocols: (offered) => (offered.has("realtime") ? "realtime" : false),
  });
  sockets.on("connection", (ws, req) => {
    const connection = {
      req,
      received: [] as RealtimeEvent[],
      said: [] as string[],
      close: null as [number, string] | null,
    };
    const index = connections.push(connection) - 1;
    ws.on("close", (code, reason) => {
      connection.close = [code, String(reason)];
    });
    converse(ws, req.socket, script(index), connection);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    async stop() {
      for (const ws of sockets.clients) ws.terminate();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function converse(
  ws: WebSocket,
  socket: Socket,
  script: RealtimeScript,
  heard: Pick<FakeRealtime["connections"][number], "received" | "said">,
) {
  const timers: NodeJS.Timeout[] = [];
  const write = writerOf(ws, socket, script.framing ?? "whole");
  let said = 0;
  const say = (event: RealtimeEvent) => {
    const named = script.names === "beta" ? asBeta(event) : event;
    if (!named || ws.readyState !== ws.OPEN) return;
    const text = JSON.stringify({ event_id: `event_${++said}`, ...named });
    heard.said.push(text);
    write(text);
  };
  const conversation = script.play === "conversation" ? createConversation(script, say) : null;
  if (script.play !== "conversation") timers.push(...playTimed(ws, script, say));
  if (script.expireAfterMs !== undefined)
    timers.push(
      setTimeout(() => {
        say(expired());
        ws.close(...EXPIRED_CLOSE);
      }, script.expireAfterMs),
    );
  ws.on("error", () => {});
  ws.on("message", (data) => {
    const event = JSON.parse(String(data)) as RealtimeEvent;
    heard.received.push(event);
    conversation?.take(event);
  });
  ws.on("close", () => {
    conversation?.stop();
    for (const timer of timers) clearTimeout(timer);
  });
}

function playTimed(
  ws: WebSocket,
  { play, close }: { play: readonly TimedEvent[]; close?: { code: number; reason: string } },
  say: (event: RealtimeEvent) => void,
): NodeJS.Timeout[] {
  const own = play.filter(({ from }) => from === "server");
  // Late timers of a busy machine need not come in order; what is said does.
  const left = own.map(({ event }) => event);
  const timers = own.map(({ atMs }) => setTimeout(() => say(left.shift() as RealtimeEvent), atMs));
  if (close) timers.push(setTimeout(() => ws.close(close.code, close.reason), (own.at(-1)?.atMs ?? 0) + 1));
  return timers;
}

function writerOf(ws: WebSocket, socket: Socket, framing: "whole" | "fragments" | "bytes"): (text: string) => void {
  if (framing === "whole") return (text) => ws.send(text);
  const random = seeded(5);
  if (framing === "fragments") return (text) => void socket.write(fragmentedMessage(Buffer.from(text), random, null));
  return (text) => {
    for (const byte of splitBytes(webSocketFrame(OPCODE.text, Buffer.from(text)), "bytes")) socket.write(byte);
  };
}

/** The client's part of a session, said at its times. Resolves when all has been said. */
export async function sayTimed(ws: WebSocket, events: readonly TimedEvent[]): Promise<void> {
  const own = events.filter(({ from }) => from === "client");
  const left = own.map(({ event }) => event);
  await Promise.all(
    own.map(
      ({ atMs }) =>
        new Promise<void>((resolve) =>
          setTimeout(() => {
            const event = left.shift();
            if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(event));
            resolve();
          }, atMs),
        ),
    ),
  );
}
