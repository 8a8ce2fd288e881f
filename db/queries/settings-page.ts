import { ALERTS_JOB } from "#db/alerts.ts";
import type { AlertWish } from "#lib/alert.ts";
import type { Reader } from "./call-filter.ts";

/** A rule as it was found when it was last checked. */
export interface AlertRule extends AlertWish {
  id: string;
  enabled: boolean;
  createdAt: Date;
  /** null: not yet, or not since it was switched on. */
  checkedAt: Date | null;
  /** In the measure's unit; null: too few calls to say, a problem, or not checked. */
  value: number | null;
  /** How many calls the value is of, or would be; null: the measure is not of calls. */
  calls: number | null;
  /** Why the last check came to nothing; null: it did not. */
  problem: string | null;
  /** The open alert; null: there is none. */
  alert: { id: string; openedAt: Date; lastValue: number; worstValue: number; calls: number | null } | null;
}

/** Open alerts first, then in the order in which the rules were made. */
export async function alertRules(sql: Reader, project: string): Promise<AlertRule[]> {
  type Row = AlertRule & { alertId: string; openedAt: Date | null; lastValue: number; worstValue: number; was: number };
  const rows = await sql<Row[]>`
    select
      r.id, r.measure, r.scope, r.threshold, r.window_minutes as "windowMinutes", r.enabled, r.created_at as "createdAt",
      r.checked_at as "checkedAt", r.last_value as value, r.last_calls as calls, r.problem,
      a.id as "alertId", a.opened_at as "openedAt", a.last_value as "lastValue", a.worst_value as "worstValue", a.calls as was
    from alert_rules r left join alerts a on a.rule_id = r.id and a.closed_at is null
    where r.project_id = ${project}
    order by a.opened_at desc nulls last, r.id`;
  return rows.map(({ alertId, openedAt, lastValue, worstValue, was, ...rule }) => ({
    ...rule,
    alert: openedAt && { id: alertId, openedAt, lastValue, worstValue, calls: was },
  }));
}

export async function openAlertIds(sql: Reader, project: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`select id from alerts where project_id = ${project} and closed_at is null`;
  return rows.map(({ id }) => id);
}

export interface PastAlert extends AlertWish {
  id: string;
  openedAt: Date;
  /** null: still open. */
  closedAt: Date | null;
  worstValue: number;
}

/** Newest first, at most `limit`; those of deleted rules too. */
export async function alertHistory(sql: Reader, project: string, limit: number): Promise<PastAlert[]> {
  return sql<PastAlert[]>`
    select
      id, measure, scope, threshold, window_minutes as "windowMinutes", opened_at as "openedAt", closed_at as "closedAt",
      worst_value as "worstValue"
    from alerts where project_id = ${project}
    order by opened_at desc, id desc limit ${limit}`;
}

/** When the rules were checked last, to the end; null: never. */
export async function alertsCheckedMs(sql: Reader): Promise<number | null> {
  const [row] = await sql<{ at: Date | null }[]>`select last_finished_at as at from jobs where name = ${ALERTS_JOB}`;
  return row?.at?.getTime() ?? null;
}
