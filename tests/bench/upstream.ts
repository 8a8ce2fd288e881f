import { createServer, type ServerResponse } from "node:http";
import { ANSWER, ANSWER_HEADERS, streamOf } from "./traffic.ts";

/** The least that can stand for OpenAI: a fixed answer, or a stream of one chunk per turn of its loop, or per `x-pace-ms`. */
const json = ["content-type", "application/json", "content-length", String(ANSWER.length), ...ANSWER_HEADERS];
const sse = ["content-type", "text/event-stream; charset=utf-8", ...ANSWER_HEADERS];
const plain = streamOf(false);
const withUsage = streamOf(true);

const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (req, res) => {
  const parts: Buffer[] = [];
  req.on("data", (part: Buffer) => parts.push(part));
  req.on("end", () => {
    const body = Buffer.concat(parts);
    if (body.indexOf('"stream":true') < 0) res.writeHead(200, json).end(ANSWER);
    else {
      const events = body.indexOf('"include_usage":true') < 0 ? plain : withUsage;
      const paceMs = Number(req.headers["x-pace-ms"] ?? 0);
      if (paceMs) pace(res.writeHead(200, sse), events, paceMs);
      else stream(res.writeHead(200, sse), events, 0);
    }
  });
});

function stream(res: ServerResponse, events: string[], at: number) {
  if (res.destroyed) return;
  if (at === events.length) return void res.end();
  res.write(events[at]);
  setImmediate(stream, res, events, at + 1);
}

/** As slow as a model speaks. */
function pace(res: ServerResponse, events: string[], paceMs: number) {
  let at = 0;
  const timer = setInterval(() => {
    if (at < events.length && !res.destroyed) return void res.write(events[at++]);
    clearInterval(timer);
    res.end();
  }, paceMs);
}

server.listen(0, "127.0.0.1", 1024, () => {
  const address = server.address();
  process.send?.({ type: "ready", port: typeof address === "object" ? address?.port : 0 });
});
process.on("disconnect", () => process.exit());
