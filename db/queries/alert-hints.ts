import { ALERT_MEASURES, type AlertMeasure } from "#lib/alert.ts";
import { type Measured, measureAlert, measureSlots } from "./alert-measures.ts";
import type { Reader } from "./call-filter.ts";
import { QUARTER_MS } from "./latency-source.ts";

/** What a measure of all calls comes to, for whoever chooses a threshold. */
export interface AlertHint {
  measure: AlertMeasure;
  /** Over the last hour; of measures without a window as they always are. */
  now: Measured;
  /** The highest of the last seven UTC days, today included; null: not known of any. */
  worstDay: number | null;
}

const DAY_MS = 86_400_000;
const DAYS = 7;

/** Reads seven days of rollups for each measure. */
export async function alertHints(sql: Reader, project: string, nowMs: number): Promise<AlertHint[]> {
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const days = Array.from({ length: DAYS }, (_, i) => today - (DAYS - 1 - i) * DAY_MS);
  const edges = [...days, Math.ceil((nowMs + 1) / QUARTER_MS) * QUARTER_MS];
  const interval = { fromMs: edges[0] as number, toMs: edges[DAYS] as number };
  const hints: AlertHint[] = [];
  for (const { name: measure } of ALERT_MEASURES) {
    const now = await measureAlert(sql, project, { measure, scope: {}, windowMinutes: 60 }, nowMs);
    const found =
      measure === "data_lag" ? [] : await measureSlots(sql, { project, interval, filter: {} }, measure, edges);
    const values = found.flatMap(({ value }) => value ?? []);
    hints.push({ measure, now, worstDay: values.length ? Math.max(...values) : null });
  }
  return hints;
}
