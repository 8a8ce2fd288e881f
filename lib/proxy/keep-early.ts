import type { Duplex } from "node:stream";

/** What a client may say before the upstream has answered; its socket is paused beyond. */
const EARLY_BYTES_MAX = 64 << 10;

/** Reads on while the upstream has not answered: a client that leaves is not seen otherwise. */
export function keepEarly(client: Duplex, first: Buffer, onEnd: () => void): { take(): Buffer } {
  const chunks = [first];
  let bytes = first.length;
  const keep = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > EARLY_BYTES_MAX) client.pause();
  };
  client.on("data", keep);
  client.on("end", onEnd);
  return {
    take() {
      client.off("data", keep);
      client.off("end", onEnd);
      return Buffer.concat(chunks);
    },
  };
}
