import { createServer, type ServerResponse } from "node:http";
import { type Dispatcher, Pool } from "undici";

/**
 * The floor that the product is measured against: what any streaming reverse proxy on Node must do, and nothing else. An
 * http server, one keep-alive pool, both bodies passed on chunk by chunk with back-pressure, hop-by-hop headers dropped.
 * Nothing is recorded, changed or waited for.
 */
const upstream = process.env.FLOOR_UPSTREAM as string;
const pool = new Pool(upstream, { headersTimeout: 0, bodyTimeout: 0 });
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "te",
  "upgrade",
  "expect",
  "host",
  "proxy-connection",
  "proxy-authorization",
]);

class Pass implements Dispatcher.DispatchHandler {
  readonly #res: ServerResponse;
  #controller: Dispatcher.DispatchController | null = null;

  constructor(res: ServerResponse) {
    this.#res = res;
    res.on("close", () => {
      if (!res.writableFinished) this.#controller?.abort(new Error("the client hung up"));
    });
  }
  onRequestStart(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
  }
  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, text?: string) {
    if (status < 200) return;
    // undici has the lines as they came; its types do not say so.
    const { rawHeaders } = controller as unknown as { rawHeaders: Buffer[] };
    this.#res.sendDate = false;
    this.#res.writeHead(status, text || undefined, lasting(rawHeaders.map((one) => one.toString("latin1"))));
  }
  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer) {
    if (this.#res.write(chunk)) return;
    controller.pause();
    this.#res.once("drain", () => controller.resume());
  }
  onResponseEnd() {
    this.#res.end();
  }
  onResponseError() {
    if (this.#res.headersSent) this.#res.destroy();
    else this.#res.writeHead(502).end();
  }
}

function lasting(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2)
    if (!HOP_BY_HOP.has((raw[i] as string).toLowerCase())) kept.push(raw[i] as string, raw[i + 1] as string);
  return kept;
}

const server = createServer({ requestTimeout: 0 }, (req, res) => {
  pool.dispatch(
    {
      path: req.url as string,
      method: req.method as Dispatcher.HttpMethod,
      headers: lasting(req.rawHeaders),
      body: req.method === "GET" || req.method === "HEAD" ? null : req,
    },
    new Pass(res),
  );
});
server.listen(0, "127.0.0.1", 1024, () => {
  const address = server.address();
  process.send?.({ type: "ready", port: typeof address === "object" ? address?.port : 0 });
});
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => process.exit());
