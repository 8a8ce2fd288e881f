import { msToWall, offsetMs } from "#lib/range.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Clock and calendar of a moment in a zone. Written out by hand: 24 hours, the same in every browser and locale. */
export function timeParts(ms: number, zone: string) {
  const wall = new Date(msToWall(ms, zone));
  const iso = wall.toISOString();
  const day = `${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]}`;
  return {
    day,
    year: iso.slice(0, 4),
    minute: iso.slice(11, 16),
    second: iso.slice(11, 19),
    fraction: iso.slice(19, 23),
  };
}

/** "20 Nov 10:42:07" */
export function formatMoment(ms: number, zone: string): string {
  const { day, second } = timeParts(ms, zone);
  return `${day} ${second}`;
}

/** "20 Nov 2026 10:42:07.123 UTC+05:30": nothing left to guess. */
export function formatMomentFully(ms: number, zone: string): string {
  const { day, year, second, fraction } = timeParts(ms, zone);
  return `${day} ${year} ${second}${fraction} ${formatOffset(ms, zone)}`;
}

/** "20 Nov 10:42" or "20 Nov" for a midnight. */
export function formatEdge(ms: number, zone: string): string {
  const { day, minute } = timeParts(ms, zone);
  return minute === "00:00" ? day : `${day} ${minute}`;
}

export function formatOffset(ms: number, zone: string): string {
  const minutes = Math.round(offsetMs(ms, zone) / 60_000);
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${String(Math.floor(size / 60)).padStart(2, "0")}:${String(size % 60).padStart(2, "0")}`;
}

export const monthName = (month: number): string =>
  new Intl.DateTimeFormat("en", { month: "long", timeZone: "UTC" }).format(Date.UTC(2026, month - 1));
