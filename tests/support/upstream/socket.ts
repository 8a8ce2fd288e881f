import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** What the fake upstream does with a WebSocket, asked for in the upgrade's `x-script` header as JSON. */
export interface SocketScript {
  /** Answers the upgrade with this instead of accepting it. */
  refuse?: { status: number; body: string; headers?: Record<string, string> };
  /** Chooses this subprotocol; default: the first one offered. */
  protocol?: string;
  /** Text frames sent on opening. */
  greet?: string[];
  /** Closes after the first message. */
  close?: { code: number; reason: string };
  /** Breaks the connection after the first message. */
  reset?: boolean;
  /** Pings with this payload on opening. */
  ping?: string;
  /** Sends a text message of so many bytes on opening. */
  send?: number;
}

const MESSAGE_BYTES_MAX = 64 << 20;

/** Echoes every message frame for frame, unless told otherwise. */
export function playSocket(req: IncomingMessage, socket: Socket, head: Buffer): void {
  const header = req.headers["x-script"];
  const script: SocketScript = typeof header === "string" ? JSON.parse(header) : {};
  if (script.refuse) {
    refuse(socket, script.refuse);
    return;
  }
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
    handleProtocols: (offered) => script.protocol ?? [...offered][0] ?? false,
  });
  server.handleUpgrade(req, socket, head, (ws) => converse(ws, socket, script));
}

function converse(ws: WebSocket, socket: Socket, script: SocketScript) {
  ws.on("error", () => {});
  for (const text of script.greet ?? []) ws.send(text);
  if (script.ping !== undefined) {
    ws.ping(script.ping);
    ws.on("pong", (payload) => ws.send(`pong:${payload.toString("utf8")}`));
  }
  if (script.send) ws.send("x".repeat(script.send));
  ws.on("message", (data, isBinary) => {
    if (script.reset) return socket.resetAndDestroy();
    if (script.close) return ws.close(script.close.code, script.close.reason);
    ws.send(data as Buffer, { binary: isBinary });
  });
}

function refuse(socket: Socket, { status, body, headers = {} }: NonNullable<SocketScript["refuse"]>) {
  const lines = Object.entries({
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(body)),
    ...headers,
  });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`,
  );
}
