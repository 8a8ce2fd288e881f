import { asArray } from "../bodies/json.ts";

/** How many tokens an input of token numbers has (a list of them, or of such lists); null: it is text, in whole or in part. */
export function tokenInput(input: unknown): number | null {
  const list = asArray(input);
  if (list.length === 0) return null;
  if (list.every(isToken)) return list.length;
  const lists = list.map((one) => asArray(one));
  return lists.every((one) => one.length > 0 && one.every(isToken))
    ? lists.reduce((sum, { length }) => sum + length, 0)
    : null;
}

const isToken = (value: unknown): boolean => Number.isInteger(value);
