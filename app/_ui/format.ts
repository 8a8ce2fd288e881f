/** How numbers are written. Unknown is a dash, never zero; what is small is never rounded to zero. */
export const UNKNOWN = "—";

const grouped = new Intl.NumberFormat("en-US");
const whole = (value: number) => grouped.format(Math.round(value));

/** 18432019 → 18,432,019 */
export const formatCount = (count: number | null): string => (count === null ? UNKNOWN : whole(count));

const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
/** For tiles: 18432019 → 18.4M. Tables use formatCount. */
export const formatTokensShort = (count: number | null): string => (count === null ? UNKNOWN : compact.format(count));

/** "1 call", "2 calls" */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

/** Under a second in ms, under a minute in seconds with two decimals, then minutes and seconds. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < 9.95) return `${trimZero(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** 1234567 → 1.23 MB (powers of 1,000). */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return UNKNOWN;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${UNITS[unit]}`;
}

/** A share with one decimal; what is neither none nor all never reads as 0 or 100. */
export function formatShare(part: number, all: number): string {
  if (all === 0) return UNKNOWN;
  const percent = (part / all) * 100;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  if (percent < 100 && percent > 99.9) return "> 99.9 %";
  return `${trimZero(percent.toFixed(1))} %`;
}

/**
 * An amount of US dollars, given exactly as a decimal string. From 1 upwards in cents, below with four decimals, below
 * a cent with up to three significant digits: only zero reads as zero.
 */
export function formatMoney(amount: string | null): string {
  if (amount === null) return UNKNOWN;
  const value = Number(amount);
  const size = Math.abs(value);
  const digits =
    size === 0 || size >= 1
      ? { minimumFractionDigits: 2, maximumFractionDigits: 2 }
      : size >= 0.01
        ? { minimumFractionDigits: 4, maximumFractionDigits: 4 }
        : { minimumSignificantDigits: 1, maximumSignificantDigits: 3 };
  // Intl takes decimal strings exactly; a number would have lost digits beyond 2^53.
  return new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", ...digits }).format(
    amount as Intl.StringNumericLiteral,
  );
}

const exactPrice = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 2,
  maximumFractionDigits: 12,
});

/** A price is never rounded: "2.5" → $2.50, "0.075" → $0.075, "0.000012" → $0.000012. */
export const formatExactPrice = (amount: string): string => exactPrice.format(amount as Intl.StringNumericLiteral);

const trimZero = (text: string) => text.replace(/\.0$/, "");
