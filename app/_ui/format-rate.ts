import { UNKNOWN } from "./format.ts";

/** Shares and their differences in words of one decimal. Signs are real minus signs, so that they do not break from their number. */

interface Interval {
  low: number;
  high: number;
}

/** 0.84 → "84.0 %"; what is neither none nor all never reads as 0 or 100. */
export function formatRate(share: number | null): string {
  if (share === null) return UNKNOWN;
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  if (share < 1 && share > 0.9995) return "> 99.9 %";
  return `${percent(share)} %`;
}

/** "[71.5–91.7]": the bounds of a share in percent */
export const formatBounds = ({ low, high }: Interval): string => `[${percent(low)}–${percent(high)}]`;

/** -0.06 → "−6.0 pp": percentage points */
export const formatPoints = (difference: number): string => `${signed(difference * 100, (size) => size.toFixed(1))} pp`;

/** "[−9.4, −2.6]": the bounds of a difference of shares in percentage points */
export const formatPointBounds = ({ low, high }: Interval): string =>
  `[${[low, high].map((bound) => signed(bound * 100, (size) => size.toFixed(1))).join(", ")}]`;

/** A number with its sign, its size written by `format`; what is written as nothing has no sign. */
export function signed(value: number, format: (size: number) => string): string {
  const size = format(Math.abs(value));
  if (!/[1-9]/.test(size)) return size;
  return `${value < 0 ? "−" : "+"}${size}`;
}

const percent = (share: number) => (share * 100).toFixed(1);
