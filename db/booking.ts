/** A month that finance has closed: `month` is its first day. */
export interface ClosedPeriod {
  projectId: string;
  /** YYYY-MM-01 */
  month: string;
}

/** The UTC day of a moment, YYYY-MM-DD. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

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
