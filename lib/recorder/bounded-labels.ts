const CHARACTERS_MAX = 100;
const OTHER = "other";

/**
 * Keeps a label that comes from outside from growing without end: the first `max` different values are told apart, every later
 * one is `other`. Values are cut at 100 characters.
 */
export function createBoundedLabels(max: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    const label = value.slice(0, CHARACTERS_MAX);
    if (known.has(label)) return label;
    if (known.size >= max) return OTHER;
    known.add(label);
    return label;
  };
}
