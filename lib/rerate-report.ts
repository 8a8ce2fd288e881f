import { addMoney } from "./money.ts";

/** What pricing a period again has changed. Amounts are sums over changed lines as far as they are known; null: none of them is. */
export interface RerateReport extends Difference {
  /** The models that were asked for: a name, or its beginning and a `*`. null: all. */
  of: string | null;
  /** Calls with a line that changed. */
  calls: number;
  /** By what was priced: a model, or a tool. Of very many the last ones are together under OTHER_MODELS. */
  models: Record<string, Difference>;
}

export interface Difference {
  lines: number;
  beforeUsd: string | null;
  afterUsd: string | null;
  /** Lines whose cost was not known, and is not known now. */
  unpricedBefore: number;
  unpricedAfter: number;
}

const MODELS_MAX = 200;
const OTHER_MODELS = "(other models)";

const nothing = (): Difference => ({ lines: 0, beforeUsd: null, afterUsd: null, unpricedBefore: 0, unpricedAfter: 0 });

export const newRerateReport = (of: string | null): RerateReport => ({ of, calls: 0, models: {}, ...nothing() });

/** The report with one line more that costs something else, or is priced by another row, than before. */
export function countLine(report: RerateReport, model: string, before: string | null, after: string | null): void {
  const known = Object.hasOwn(report.models, model);
  const name = known || Object.keys(report.models).length < MODELS_MAX ? model : OTHER_MODELS;
  // A name from outside: assigned as a key it could be the prototype's.
  if (!Object.hasOwn(report.models, name))
    Object.defineProperty(report.models, name, {
      value: nothing(),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  for (const sums of [report, report.models[name] as Difference]) {
    sums.lines++;
    sums.beforeUsd = plus(sums.beforeUsd, before);
    sums.afterUsd = plus(sums.afterUsd, after);
    if (before === null) sums.unpricedBefore++;
    if (after === null) sums.unpricedAfter++;
  }
}

const plus = (sum: string | null, amount: string | null): string | null =>
  amount === null ? sum : addMoney(sum ?? "0", amount);
