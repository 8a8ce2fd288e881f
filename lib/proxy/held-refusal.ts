import { refusesIncludeUsage } from "#lib/openai/relay.ts";

/** A refused include_usage is looked for in this much of a 400. */
const REFUSAL_BYTES_MAX = 64 << 10;

/** A 400 to a call that was asked for its usage by us: held until it is clear whether it is about what was inserted. */
export class HeldRefusal {
  readonly chunks: Buffer[] = [];
  #bytes = 0;
  readonly raw: (Buffer | string)[];
  readonly status: number;
  readonly text: string | undefined;

  constructor(raw: (Buffer | string)[], status: number, text: string | undefined) {
    this.raw = raw;
    this.status = status;
    this.text = text;
  }

  /** False: too long to be that refusal, it can go on. */
  add(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    this.#bytes += chunk.length;
    return this.#bytes <= REFUSAL_BYTES_MAX;
  }

  refusesUsage(): boolean {
    return refusesIncludeUsage(Buffer.concat(this.chunks).toString("utf8"));
  }
}
