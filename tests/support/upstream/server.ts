import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { play } from "./play.ts";
import { scriptOf } from "./script.ts";
import { playSocket } from "./socket.ts";

export type Handler = (req: IncomingMessage, res: ServerResponse) => unknown;

export interface Upstream {
  readonly url: string;
  readonly port: number;
  /** Answers one path (without query) with a handler of the test's own instead of a script. */
  on(path: string, handler: Handler): void;
  /** Scripts again. */
  off(path: string): void;
  /** Requests seen so far. */
  requests(): number;
  /** Connections ever accepted, and open now. */
  connections(): { accepted: number; open: number };
  /** Ends every connection, as a server that restarts does. */
  hangUp(): void;
  stop(): Promise<void>;
}

/** A server that plays OpenAI, and everything that goes wrong with it, on the request's demand. */
export async function startUpstream(port = 0): Promise<Upstream> {
  const handlers = new Map<string, Handler>();
  const sockets = new Set<Socket>();
  let requests = 0;
  let accepted = 0;

  const answer = (req: IncomingMessage, res: ServerResponse) => {
    requests++;
    // A client that leaves is no failure here.
    req.on("error", () => {});
    res.on("error", () => {});
    const handler = handlers.get((req.url ?? "").split("?", 1)[0] as string);
    Promise.resolve(handler ? handler(req, res) : play(scriptOf(req), req, res)).catch((error) => {
      if (res.headersSent) res.destroy();
      else res.writeHead(599).end(String(error));
    });
  };
  const server = createServer(
    { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 1 << 20 },
    answer,
  );
  server.on("connection", (socket) => {
    accepted++;
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => {}));
    socket.setNoDelay(true);
  });
  server.on("upgrade", (req, socket: Socket, head) => {
    requests++;
    playSocket(req, socket, head);
  });
  await new Promise<void>((listening) => server.listen(port, "127.0.0.1", 4096, listening));
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    on: (path, handler) => void handlers.set(path, handler),
    off: (path) => void handlers.delete(path),
    requests: () => requests,
    connections: () => ({ accepted, open: sockets.size }),
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
