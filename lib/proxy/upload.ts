import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/** Bytes held while the upstream is not ready for them; the client's socket is paused beyond. */
const HELD_BYTES = 64 << 10;

/**
 * The request's body on its way up: every chunk is shown to `tap` as it arrives; then it is either collected whole (small
 * bodies, and those that may be changed) or streamed with back-pressure.
 */
export class Upload {
  readonly #req: IncomingMessage;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #stream: Readable | null = null;
  #collect = 0;
  #onReady: (() => void) | null = null;
  ended = false;

  /** `collectBytes`: up to how many bytes `whenReady` may wait for the whole body. */
  constructor(req: IncomingMessage, collectBytes: number, tap: (chunk: Buffer) => void, onEnd: () => void) {
    this.#req = req;
    this.#collect = collectBytes;
    req.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
      this.#take(chunk);
      tap(chunk);
    });
    req.on("end", () => {
      this.ended = true;
      if (!this.#stream?.destroyed) this.#stream?.push(null);
      this.#ready();
      onEnd();
    });
    req.on("close", () => {
      if (!this.ended) this.#stream?.destroy(new Error("the client hung up"));
    });
  }

  /** Runs `ready` once the body is whole, or once it is larger than may be collected. */
  whenReady(ready: () => void): void {
    if (this.ended || this.#bytes > this.#collect || this.#collect === 0) return ready();
    this.#onReady = ready;
  }

  /** The whole body, when it is there and nothing has been streamed. */
  whole(): Buffer | null {
    if (!this.ended || this.#stream) return null;
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
  }

  /** The body as a stream: what is held, then the rest as it comes. */
  stream(): Readable {
    const req = this.#req;
    this.#stream = new Readable({
      highWaterMark: HELD_BYTES,
      read() {
        req.resume();
      },
    });
    for (const chunk of this.#chunks) this.#stream.push(chunk);
    this.#chunks = [];
    if (this.ended) this.#stream.push(null);
    return this.#stream;
  }

  #take(chunk: Buffer): void {
    if (this.#stream) {
      // Destroyed: the upstream wants no more of it, but the client must be able to finish.
      if (!this.#stream.destroyed && !this.#stream.push(chunk)) this.#req.pause();
      return;
    }
    this.#chunks.push(chunk);
    if (this.#bytes > Math.max(this.#collect, HELD_BYTES)) this.#req.pause();
    if (this.#bytes > this.#collect) this.#ready();
  }

  #ready(): void {
    const ready = this.#onReady;
    this.#onReady = null;
    ready?.();
  }
}
