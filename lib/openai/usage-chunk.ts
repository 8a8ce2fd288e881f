/**
 * Takes the chunk that `include_usage` adds out of the client's stream again. Every other byte passes unchanged and at
 * once, but for an event that has not fully arrived: at most one is held back.
 */
export interface UsageStripper {
  /** What of the stream so far may go to the client now; empty when all of it is held. */
  push(chunk: Buffer): Buffer;
  /** What was held when the stream ended in the middle of an event. */
  flush(): Buffer;
}

const EMPTY = Buffer.alloc(0);
/** An event that grows beyond this is no usage chunk: it goes out as it comes. */
const HELD_BYTES_MAX = 64 << 10;

export function createUsageStripper(): UsageStripper {
  let held: Buffer = EMPTY;
  return {
    push(chunk) {
      // Nearly every chunk of a stream leaves here: no empty list, no usage chunk.
      if (held.length === 0 && endsEvent(chunk) && !hasEmptyList(chunk)) return chunk;
      const bytes = held.length ? Buffer.concat([held, chunk]) : chunk;
      const out: Buffer[] = [];
      let from = 0;
      for (let end = eventEnd(bytes, from); end > 0; end = eventEnd(bytes, from)) {
        const event = bytes.subarray(from, end);
        if (!isUsageChunk(event)) out.push(event);
        from = end;
      }
      held = bytes.subarray(from);
      if (held.length > HELD_BYTES_MAX) {
        out.push(held);
        held = EMPTY;
      }
      return out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out);
    },
    flush() {
      const rest = held;
      held = EMPTY;
      return rest;
    },
  };
}

/** Looks for one byte at a time: half the price of a search for two. */
const hasEmptyList = (bytes: Buffer): boolean => {
  for (let i = bytes.indexOf(CLOSE_LIST); i >= 0; i = bytes.indexOf(CLOSE_LIST, i + 1))
    if (bytes[i - 1] === OPEN_LIST) return true;
  return false;
};
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

const endsEvent = (bytes: Buffer): boolean => {
  const n = bytes.length;
  if (bytes[n - 1] !== 0x0a) return false;
  return bytes[n - 2] === 0x0a || (bytes[n - 2] === 0x0d && bytes[n - 3] === 0x0a && bytes[n - 4] === 0x0d);
};

/** Index behind the blank line that ends the event at `from`, or 0. */
function eventEnd(bytes: Buffer, from: number): number {
  for (let i = bytes.indexOf(0x0a, from); i >= 0; i = bytes.indexOf(0x0a, i + 1)) {
    if (bytes[i + 1] === 0x0a) return i + 2;
    if (bytes[i + 1] === 0x0d && bytes[i + 2] === 0x0a) return i + 3;
  }
  return 0;
}

/** Empty choices, a usage, and nothing else that a client could want (Azure's filter results, moderation). */
function isUsageChunk(event: Buffer): boolean {
  if (!hasEmptyList(event) || event.indexOf('"usage"') < 0) return false;
  const data = event
    .toString("utf8")
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5))
    .join("\n");
  try {
    const chunk = JSON.parse(data);
    return (
      Array.isArray(chunk.choices) &&
      chunk.choices.length === 0 &&
      chunk.usage !== null &&
      typeof chunk.usage === "object" &&
      chunk.moderation == null &&
      chunk.prompt_filter_results == null &&
      chunk.content_filter_results == null
    );
  } catch {
    return false;
  }
}
