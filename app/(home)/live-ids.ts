/** What the page is compared by. Before the first call only calls count: the page says when one has come. */
export const liveIds = (calls: readonly string[], alerts: readonly string[]): string[] =>
  calls.length === 0 ? [] : [...calls, ...alerts.toSorted()];
