import type { ExchangeEnd } from "#lib/exchange.ts";
import { FRAME, MESSAGE } from "#lib/spool/frames.ts";
import type { SpoolWriter } from "#lib/spool/writer.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { chatExchange, endOf } from "./exchange.ts";

const newId = createUuid7();

/** A session that a client holds through the proxy. */
export async function openSession(writer: SpoolWriter, headers: string[] = []) {
  const id = newId();
  const { start } = chatExchange();
  const target = "/v1/realtime?model=gpt-4o-realtime-preview";
  const about = { ...start, kind: "websocket", method: "GET", target, upstreamTarget: target, headers };
  const seq = await new Promise<number>((resolve) => {
    const given: number = writer.start(JSON.stringify({ ...about, id }), () => resolve(given));
  });
  writer.head(seq, 4, JSON.stringify({ status: 101, headers: [] }));
  let at = 10;
  const hear = (type: typeof FRAME.clientMessage | typeof FRAME.serverMessage) => (text: string) => {
    at += 10;
    writer.message(type, seq, at, text.length, MESSAGE.text, Buffer.from(text));
  };
  return {
    id,
    seq,
    client: hear(FRAME.clientMessage),
    server: hear(FRAME.serverMessage),
    end: (over: Partial<ExchangeEnd> = {}) =>
      new Promise<void>((resolve) => writer.end(seq, at, JSON.stringify(endOf({ endAtMs: at, ...over })), resolve)),
  };
}
