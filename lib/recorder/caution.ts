import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Exchange } from "#lib/exchange.ts";
import type { SpoolPosition } from "#lib/spool/reader.ts";

/**
 * Finds the exchange that takes the recorder's process down, or its thread for ever: nothing in here could catch that.
 *
 *   usual    a file says at which place of the spool this recorder began; it goes when something is stored or the recorder ends
 *   careful  the third recorder that begins at the same place stores a few exchanges at a time and notes each while it is
 *            decoded. The one that was noted at two deaths is to be set aside undecoded. Usual again once more is stored than one
 *            stretch holds: whatever was deadly in it is behind
 */
export interface Caution {
  /** Decodes a few at a time, and notes each. */
  careful(): boolean;
  /** An exchange, or a session by its id. */
  isDeadly(exchange: Pick<Exchange, "id">): boolean;
  begins(exchange: Pick<Exchange, "id">): void;
  /** So much was stored (`weightOf`), up to this place. */
  stored(weight: number, place: SpoolPosition): void;
  /** The recorder ends in order. */
  over(): void;
}

const CAREFUL_FROM = 3;
const DEATHS = 2;
/** As many as a recorder without caution takes at once. */
export const STRETCH_EXCHANGES = 2000;
/** Messages of sockets that take as long as one exchange. */
const EXCHANGE_MESSAGES = 10;
/** How much of a stretch these are, in exchanges. */
export const weightOf = (exchanges: number, messages: number): number => exchanges + messages / EXCHANGE_MESSAGES;
const FILE = "recorder-at.json";

interface Note {
  place: SpoolPosition;
  /** Recorders that began at this place. */
  starts: number;
  /** The exchange being decoded, and how many recorders have died at it. */
  suspect: { id: string; deaths: number } | null;
}

export function createCaution(dir: string, begin: SpoolPosition): Caution {
  const file = join(dir, FILE);
  let place = begin;
  const last = readNote(file);
  const again = last?.place.segment === place.segment && last.place.offset === place.offset ? last : null;
  const starts = (again?.starts ?? 0) + 1;
  const suspect = again?.suspect ? { id: again.suspect.id, deaths: again.suspect.deaths + 1 } : null;
  let careful = starts >= CAREFUL_FROM;
  let noted = true;
  /** Whose reading is noted now: a session is read message by message. */
  let reading: string | null = null;
  let behind = 0;
  write({ place, starts, suspect: null });

  return {
    careful: () => careful,
    isDeadly: ({ id }) => careful && id === suspect?.id && suspect.deaths >= DEATHS,
    begins({ id }) {
      if (!careful || id === reading) return;
      reading = id;
      write({ place, starts, suspect: { id, deaths: id === suspect?.id ? suspect.deaths : 0 } });
    },
    stored(weight, to) {
      behind += weight;
      place = to;
      reading = null;
      if (careful && behind < STRETCH_EXCHANGES) write({ place, starts, suspect: null });
      else over();
    },
    over,
  };

  function over() {
    careful = false;
    if (noted) rmSync(file, { force: true });
    noted = false;
  }

  /** On a full disk there is no caution, as there would be none without this file. */
  function write(note: Note) {
    try {
      writeFileSync(`${file}.new`, JSON.stringify(note), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {
      rmSync(`${file}.new`, { force: true });
    }
  }
}

function readNote(file: string): Note | null {
  try {
    const { place, starts, suspect } = JSON.parse(readFileSync(file, "utf8"));
    return place && Number.isInteger(starts) ? { place, starts, suspect: suspect ?? null } : null;
  } catch {
    return null;
  }
}
