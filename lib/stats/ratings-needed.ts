import { Z_95 } from "./wilson.ts";

/** Leaves a fifth above it: a real change is seen four times out of five. */
const Z_POWER_80 = 0.841621;

/**
 * How many ratings each side needs so that a change of a share by `points` (0.05 is five points) is seen with 80 % power at
 * α = 0.05, two-sided. A drop, except where the share is too small to drop that far.
 */
export function ratingsNeeded(rate: number, points: number): number {
  const other = rate >= points ? rate - points : rate + points;
  const mean = (rate + other) / 2;
  const underNone = Z_95 * Math.sqrt(2 * mean * (1 - mean));
  const underChange = Z_POWER_80 * Math.sqrt(rate * (1 - rate) + other * (1 - other));
  return Math.ceil(((underNone + underChange) / points) ** 2);
}
