import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Dispatcher } from "undici";

/**
 * The body of an answer on its way to the client, from the moment its head is written.
 *
 * A chunked body is framed here and goes to the socket as one string: Node's own framing is four small parts, held until the
 * end of the turn and gathered by `writev`, which costs more than all of the recording does.
 */
export class AnswerBody {
  readonly #res: ServerResponse;
  readonly #controller: Dispatcher.DispatchController;
  readonly #length: number | null;
  #received = 0;
  /** The end of a body of known length: it completes the answer, so it waits for the end frame. */
  #last: Buffer | null = null;
  /** Something of the body went to the client, and the head with it. */
  #passed = false;
  #awaitingDrain = false;
  #drainingSocket: Socket | null = null;

  /** `length`: of the body, where it is known; 0 also for an answer that has none. */
  constructor(res: ServerResponse, controller: Dispatcher.DispatchController, length: number | null) {
    this.#res = res;
    this.#controller = controller;
    this.#length = length;
    // Usually the first bytes follow in this turn and share a packet with the head; when they do not, the head goes alone.
    if (length !== 0)
      setImmediate(() => {
        if (!this.#passed && !this.#last) res.flushHeaders();
      });
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#received += bytes.length;
    if (this.#length !== null && this.#received >= this.#length) this.#last = bytes;
    else if (!this.#pass(bytes)) this.#pause();
  }

  /** `rest` comes before the end; `trailers` are name, value, … */
  end(rest: Buffer | undefined, trailers: readonly string[] | undefined): void {
    if (trailers) this.#res.addTrailers(pairs(trailers));
    if (rest?.length) this.#res.write(rest);
    if (this.#last) this.#res.end(this.#last);
    else this.#res.end();
  }

  /** The client sees what we saw: a reset as a reset, an early close as an early close, never a clean end. */
  breakOff(rest: Buffer | undefined, reset: boolean): void {
    const res = this.#res;
    if (rest?.length) res.write(rest);
    else res.flushHeaders();
    // A reset throws away what has not left yet: one turn lets go what the socket takes.
    const breakNow = () =>
      setImmediate(() => {
        if (reset) res.socket?.resetAndDestroy();
        else res.destroy();
      });
    // Without a socket the answer waits behind another one, which must not be cut off.
    if (res.socket) breakNow();
    else res.once("socket", breakNow);
  }

  #pass(bytes: Buffer): boolean {
    const res = this.#res;
    const first = !this.#passed;
    this.#passed = true;
    if (!res.chunkedEncoding || bytes.length > FRAMED_BYTES_MAX) return res.write(bytes);
    const framed = `${bytes.length.toString(16)}\r\n${bytes.toString("latin1")}\r\n`;
    // No socket: an answer that waits behind another one of the same connection.
    if (!first && res.socket) return res.socket.write(framed, "latin1");
    // Only for this write, which takes the head along: the end and its trailers are Node's to frame.
    res.chunkedEncoding = false;
    const takesMore = res.write(framed, "latin1");
    res.chunkedEncoding = true;
    return takesMore;
  }

  #pause(): void {
    this.#controller.pause();
    const resume = () => this.#controller.resume();
    if (!this.#awaitingDrain) {
      this.#awaitingDrain = true;
      this.#res.on("drain", resume);
    }
    // Its turn comes later, when another answer of the connection is written before it.
    const { socket } = this.#res;
    if (socket === null || socket === this.#drainingSocket) return;
    this.#drainingSocket = socket;
    socket.on("drain", resume);
    this.#res.once("close", () => socket.off("drain", resume));
  }
}

/** Strings up to 16 kB go out without an allocation; beyond that a buffer is the better carrier. */
const FRAMED_BYTES_MAX = 15 << 10;

const pairs = (flat: readonly string[]): [string, string][] =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] as string, flat[2 * i + 1] as string]);
