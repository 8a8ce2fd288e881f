import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { audioDelta } from "#lib/demo/realtime/events.ts";
import { silence } from "#lib/demo/realtime/timed.ts";

/** Speaks without a pause: 20 ms of audio per `pace` milliseconds, for as long as somebody listens. What it hears it drops. */
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
const delta = JSON.stringify(
  audioDelta({ response: "resp_E6U0xfWhN878XBMhc0LKn", item: "item_E6U0xWSFIFri2uw2" }, silence(20)),
);

sockets.on("connection", (ws, req) => {
  const paceMs = Number(new URL(req.url ?? "/", "http://x").searchParams.get("pace") ?? 20);
  const timer = setInterval(() => ws.send(delta), paceMs);
  ws.on("close", () => clearInterval(timer));
  ws.on("error", () => {});
  ws.on("message", () => {});
});

server.listen(0, "127.0.0.1", 1024, () => {
  const address = server.address();
  process.send?.({ type: "ready", port: typeof address === "object" ? address?.port : 0 });
});
process.on("disconnect", () => process.exit());
