import type { Sql } from "postgres";
import { expect } from "vitest";
import { addAlertRule } from "#db/alert-rules.ts";
import { ALERTS_JOB, checkAlerts } from "#db/alerts.ts";
import { alertHistory, alertRules } from "#db/queries/settings-page.ts";
import { runJob } from "#db/run-job.ts";
import type { AlertMeasure, AlertWish } from "#lib/alert.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import type { SpentCall } from "./seed-spent.ts";

/** When the tests of alerts take place. */
export const NOW = Date.parse("2026-05-04T10:05:00Z");
export const MINUTE = 60_000;
export const ago = (ms: number) => new Date(NOW - ms).toISOString();
export const nextId = createUuid7();

/** Calls of ten minutes ago. */
export const calls = (n: number, one: (i: number) => Partial<SpentCall>): SpentCall[] =>
  Array.from({ length: n }, (_, i) => ({ at: ago(10 * MINUTE + i), ...one(i) }));

/** Rules of a database, as people make them and the recorder checks them. */
export function alertRulesOf(sql: Sql) {
  const rules = () => alertRules(sql, "default");
  return {
    async rule(measure: AlertMeasure, threshold: number, over: Partial<AlertWish> = {}): Promise<string> {
      const id = nextId();
      await addAlertRule(sql, "default", id, { measure, threshold, scope: {}, windowMinutes: 60, ...over });
      return id;
    },
    check: (nowMs = NOW) =>
      runJob(sql, { name: ALERTS_JOB, holder: "test", leaseMs: 60_000 }, (fence) => checkAlerts(sql, nowMs, fence)),
    rules,
    history: () => alertHistory(sql, "default", 50),
    async theRule() {
      const found = await rules();
      expect(found).toHaveLength(1);
      return found[0];
    },
    empty: () => sql`
      truncate calls, usage_lines, rollup_calls, rollup_spend, rollup_latency, spool_positions, alert_rules, alerts, jobs`,
  };
}
