/** Colours of named things: told apart in every common kind of colour blindness, at least 3:1 against the page. Light, dark. */
const COLOURS = [
  ["#853900", "#a85e76"],
  ["#829821", "#a8c515"],
  ["#4a9c99", "#70fccc"],
  ["#09685e", "#747806"],
  ["#4d2da5", "#7153dd"],
  ["#9a6af5", "#fea1e8"],
] as const;

/** As many named things as one chart can show; the others are one. */
export const MOST_SERIES = COLOURS.length;

export const OTHERS_COLOUR = "light-dark(#8b95a5, #5e6a7b)";

/**
 * A colour for each name. A name keeps its colour from chart to chart and day to day; only where two names of one chart want
 * the same, the later in the alphabet takes the next that is free.
 */
export function coloursOf(names: readonly string[]): Map<string, string> {
  const free = COLOURS.map((_, i) => i);
  const colours = new Map<string, string>();
  for (const name of [...names].sort()) {
    const wanted = hashOf(name) % COLOURS.length;
    const next = free.find((i) => i >= wanted) ?? free[0];
    if (next === undefined) break;
    free.splice(free.indexOf(next), 1);
    const [light, dark] = COLOURS[next] as (typeof COLOURS)[number];
    colours.set(name, `light-dark(${light}, ${dark})`);
  }
  return colours;
}

/** FNV-1a: the same in every process. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
