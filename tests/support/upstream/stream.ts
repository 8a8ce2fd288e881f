import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export async function readAll(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of req) chunks.push(chunk as Buffer);
  } catch {
    // The client went away: whoever plays sees a destroyed socket.
  }
  return Buffer.concat(chunks);
}

/** Waits where the socket is full. False: the client has gone. */
export async function write(res: ServerResponse, piece: Buffer | string): Promise<boolean> {
  if (res.destroyed || res.closed) return false;
  if (res.write(piece)) return true;
  await new Promise<void>((done) => {
    const settle = () => {
      res.off("drain", settle).off("close", settle);
      done();
    };
    res.once("drain", settle).once("close", settle);
  });
  return !res.destroyed && !res.closed;
}

/** Resets the connection, once what was written is on its way: a reset discards what is not. */
export async function breakOff(res: ServerResponse): Promise<void> {
  await sleep(20);
  res.socket?.resetAndDestroy();
}
