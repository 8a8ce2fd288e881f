import type { Duplex } from "node:stream";
import { createFrameBoundary, type OnPayload } from "./frame-boundary.ts";

/** One direction of a WebSocket. */
export interface FramePipe {
  /**
   * Says `frame` (a Close) to the receiving side as soon as the frame under way is whole; what its sender says after that is
   * dropped. `answered` runs when the sender has said its own Close, too.
   */
  sayClose(frame: Buffer, answered: () => void): void;
}

/** Whoever watches a direction is told after its bytes have been passed on. */
export interface FrameWatcher {
  bytes: number;
  /** undefined: bytes are only counted. */
  readonly onPayload?: OnPayload;
}

/** Passes bytes on as they are, with back-pressure and half-close (`end`), and knows where a frame ends. */
export function pipeFrames(
  from: Duplex,
  to: Duplex,
  first: Buffer,
  watcher: FrameWatcher,
  end: () => void = () => to.end(),
): FramePipe {
  const boundary = createFrameBoundary(watcher.onPayload);
  /** To be said at the next boundary. */
  let goodbye: Buffer | null = null;
  let said = false;
  let answered = () => {};

  from.on("data", pass);
  from.resume();
  to.on("drain", () => from.resume());
  to.on("close", () => from.resume());
  from.on("end", end);
  if (first.length) pass(first);
  return {
    sayClose(frame, onAnswered) {
      answered = onAnswered;
      // Its sender closes already: the other side hears that from it.
      if (boundary.closed) return onAnswered();
      goodbye = frame;
      if (boundary.between) say();
    },
  };

  function pass(chunk: Buffer) {
    watcher.bytes += chunk.length;
    if (goodbye) return passUntilSaid(chunk);
    send(chunk);
    for (let at = 0; at < chunk.length; ) at = boundary.advance(chunk, at);
  }

  /** To a side that has hung up nothing can be said, but who speaks is listened to: its own end would not be heard otherwise. */
  function send(chunk: Buffer) {
    if (to.writable && !to.write(chunk)) from.pause();
  }

  function passUntilSaid(chunk: Buffer) {
    for (let at = 0; at < chunk.length; ) {
      at = boundary.advance(chunk, at);
      if (said || !boundary.between) continue;
      to.write(chunk.subarray(0, at));
      say();
    }
    if (boundary.closed) tellAnswered();
    if (!said) send(chunk);
  }

  function tellAnswered() {
    const tell = answered;
    answered = () => {};
    tell();
  }

  function say() {
    said = true;
    to.write(goodbye);
    // Nothing goes on from here: the rest is read for its Close.
    from.resume();
  }
}
