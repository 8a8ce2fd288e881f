import type { UsageLine } from "#lib/call.ts";

/** A line of usage, or none where nothing was used. */
export function usageLine(
  direction: UsageLine["direction"],
  modality: UsageLine["modality"],
  unit: UsageLine["unit"],
  quantity: number,
  source: UsageLine["source"],
): UsageLine[] {
  return quantity > 0 ? [{ direction, modality, cache: "none", unit, product: null, quantity, source }] : [];
}

/** The same lines where the tokens of a direction are known to be of one modality, and were taken for text because no details said so. */
export function linesAs(
  lines: readonly UsageLine[],
  direction: "input" | "output",
  modality: "image" | "audio",
): UsageLine[] {
  return lines.map((line) => (line.direction === direction && line.modality === "text" ? { ...line, modality } : line));
}
