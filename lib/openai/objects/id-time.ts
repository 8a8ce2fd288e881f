/**
 * When a provider object was made (milliseconds since the epoch), as its id says: newer ids begin with that second in eight hexadecimal
 * digits (`batch_req_67d4…`, `cntr_68c9…`). null: no such id, or a time that cannot be meant, seen from `nowMs`.
 */
export function idTimeMs(id: string, nowMs: number): number | null {
  const digits = /_([0-9a-f]{8})[0-9a-f]{16,}$/.exec(id)?.[1];
  if (digits === undefined) return null;
  const ms = Number.parseInt(digits, 16) * 1000;
  return ms <= nowMs + HOUR_MS && ms > nowMs - YEAR_MS ? ms : null;
}

const HOUR_MS = 3_600_000;
const YEAR_MS = 366 * 24 * HOUR_MS;
