import { Socket } from "node:net";

/**
 * When a database goes away while connections are being made, postgres.js may let go of a socket that is still on its way: with nobody
 * to hear of its failure, that would end the process. Such a one is given up here, in silence.
 */
export class HeldSocket extends Socket {
  override removeAllListeners(event?: string | symbol): this {
    if (event === undefined) super.removeAllListeners();
    else super.removeAllListeners(event);
    this.on("error", () => {});
    if (this.pending) this.destroy();
    return this;
  }
}
