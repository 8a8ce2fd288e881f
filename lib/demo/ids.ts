import type { Random } from "./random.ts";

/** Ids as they look on the wire and in the store, from seeded bits. */
export interface Ids {
  /** UUIDv7 of a moment, above every earlier one of this maker: as the proxy's own. */
  call(ms: number): string;
  /** UUIDv7 of a moment, in no order. */
  at(ms: number): string;
  /** `prefix` and so many hexadecimal digits, a multiple of 8. */
  opaque(prefix: string, digits: number): string;
  /** A response's: the later, the higher, as OpenAI's own mostly are. An index takes that better than chance. */
  response(ms: number): string;
}

const HEX4 = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, "0"));
const hex4 = (bits: number) => HEX4[bits & 0xffff] as string;
const hex8 = (bits: number) => hex4(bits >>> 16) + hex4(bits);

export function createIds(random: Random): Ids {
  let lastMs = 0;
  let count = 0;

  function uuid(ms: number, counter: number): string {
    const [a, b] = [random.bits(), random.bits()];
    const time = hex8(Math.floor(ms / 65_536)) + hex4(ms);
    const variant = hex4(((a >>> 16) & 0x3fff) | 0x8000);
    return `${time.slice(0, 8)}-${time.slice(8)}-${hex4(0x7000 | counter)}-${variant}-${hex4(a)}${hex8(b)}`;
  }

  return {
    call(ms) {
      count = ms === lastMs ? count + 1 : 0;
      if (ms < lastMs || count > 0xfff)
        throw new RangeError(`calls are made in the order of their start: ${ms} after ${count} of ${lastMs}`);
      lastMs = ms;
      return uuid(ms, count);
    },
    at: (ms) => uuid(Math.floor(ms), random.bits() & 0xfff),
    opaque(prefix, digits) {
      let text = prefix;
      for (let left = digits; left > 0; left -= 8) text += hex8(random.bits());
      return text;
    },
    response(ms) {
      const [a, b, c] = [random.bits(), random.bits(), random.bits()];
      return `chatcmpl-${hex8(Math.floor(ms / 1000))}${hex8(a)}${hex8(b)}${hex8(c)}`;
    },
  };
}
