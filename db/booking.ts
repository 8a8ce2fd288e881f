/** A month that finance has closed: `month` is its first day. */
export interface ClosedPeriod {
  projectId: string;
  /** YYYY-MM-01 */
  month: string;
}

const DAY_MS = 86_400_000;
/** The day that was asked for last: it is asked for several times per call, and calls come day by day. */
let lastDay = { begins: Number.NaN, name: "" };

/** The UTC day of a moment, YYYY-MM-DD. */
export function dayOf(ms: number): string {
  if (!(ms >= lastDay.begins && ms < lastDay.begins + DAY_MS))
    lastDay = { begins: Math.floor(ms / DAY_MS) * DAY_MS, name: new Date(ms).toISOString().slice(0, 10) };
  return lastDay.name;
}

/**
 * The day on which something of `day` is booked: that day while its month is open, else the first day of the next open
 * month. A closed month never changes.
 */
export function bookingDay(day: string, projectId: string, closed: readonly ClosedPeriod[]): string {
  let booked = day;
  while (closed.some((one) => one.projectId === projectId && one.month === monthOf(booked))) booked = nextMonth(booked);
  return booked;
}

/** First day of a day's month. */
export const monthOf = (day: string): string => `${day.slice(0, 7)}-01`;

export function nextMonth(day: string): string {
  const [year, month] = day.split("-").map(Number) as [number, number];
  return new Date(Date.UTC(year, month)).toISOString().slice(0, 10);
}
