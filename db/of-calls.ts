/** A condition on the column that holds a call's id, made of ids by the caller and of nothing that came from outside. */
export type OfCalls = (id: string) => string;

/**
 * The calls with these ids, at least one. Each is looked at again: this text is not a parameter. The planner is told the ends, which leave it the
 * partitions that matter; going through these for each of thousands of ids takes it longer than to find the calls.
 */
export const amongIds = (ids: readonly string[]): OfCalls => {
  if (!ids.every((id) => /^[0-9a-f-]{36}$/.test(id))) throw new Error("a call id is no UUID");
  const [first = "", ...others] = ids;
  if (others.length === 0) return (id) => `${id} = '${first}'::uuid`;
  const ends = `between '${others.reduce(least, first)}' and '${others.reduce(greatest, first)}'`;
  const list = `'{${ids.join(",")}}'::uuid[]`;
  return (id) => `${id} ${ends} and ${id} in (select unnest(${list}))`;
};

const least = (a: string, b: string): string => (b < a ? b : a);
const greatest = (a: string, b: string): string => (b > a ? b : a);
