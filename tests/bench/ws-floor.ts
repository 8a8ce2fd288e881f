import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

/** The floor for WebSockets: a bare relay of `ws` with `ws`. Messages, pings and close codes pass; nothing is recorded or waited for. */
const upstream = (process.env.FLOOR_UPSTREAM as string).replace("http", "ws");
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 64 << 20 });

sockets.on("connection", (client, req) => {
  const up = new WebSocket(upstream + req.url, { perMessageDeflate: false, maxPayload: 64 << 20 });
  up.on("open", () => {
    client.resume();
    pass(client, up);
  });
  pass(up, client);
  client.pause();
});

function pass(from: WebSocket, to: WebSocket) {
  from.on("message", (data, binary) => to.send(data, { binary }));
  from.on("close", () => to.close());
  from.on("error", () => to.terminate());
}

server.listen(0, "127.0.0.1", 1024, () => {
  const address = server.address();
  process.send?.({ type: "ready", port: typeof address === "object" ? address?.port : 0 });
});
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => process.exit());
