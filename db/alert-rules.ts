import type { Sql } from "postgres";
import { ALERT_RULES_MAX, type AlertMeasure, type AlertWish } from "#lib/alert.ts";
import { quoted } from "./rows.ts";

/** False: the project has as many rules as it may have. */
export async function addAlertRule(sql: Sql, project: string, id: string, wish: AlertWish): Promise<boolean> {
  const rows = await sql`
    insert into alert_rules (id, project_id, measure, scope, threshold, window_minutes, enabled)
    select
      ${id}::uuid, ${project}, ${wish.measure}, ${JSON.stringify(wish.scope)}::text::jsonb, ${wish.threshold}::float8,
      ${wish.windowMinutes}::int, true
    where (select count(*) from alert_rules where project_id = ${project}) < ${ALERT_RULES_MAX}
    returning id`;
  return rows.length === 1;
}

/** In the unit of the measure, which must be the rule's. False, as below: there is no such rule. */
export const changeAlertThreshold = (
  sql: Sql,
  project: string,
  id: string,
  measure: AlertMeasure,
  threshold: number,
): Promise<boolean> =>
  change(
    sql,
    project,
    id,
    (rule) => `update alert_rules set threshold = ${threshold}::float8 where ${rule}`,
    `and measure = ${quoted(measure)}`,
  );

/** What was last seen is forgotten: it may be old when the rule is switched on again. */
export const switchAlertRule = (sql: Sql, project: string, id: string, enabled: boolean): Promise<boolean> =>
  change(
    sql,
    project,
    id,
    (rule) =>
      `update alert_rules set enabled = ${enabled}, checked_at = null, last_value = null, last_calls = null, problem = null where ${rule}`,
  );

/** The alerts that it opened stay in the history. */
export const removeAlertRule = (sql: Sql, project: string, id: string): Promise<boolean> =>
  change(sql, project, id, (rule) => `delete from alert_rules where ${rule}`);

/**
 * An open alert is of the rule as it was: it ends with the change, and the next check says whether another begins. One message, one
 * transaction (see ARCHITECTURE.md); the second statement sees what a check wrote while the first waited for it. `and` is a
 * condition on both tables.
 */
async function change(sql: Sql, project: string, id: string, to: (rule: string) => string, and = ""): Promise<boolean> {
  const inProject = `project_id = ${quoted(project)} ${and}`;
  // Only the first statement gives rows, so they are the answer.
  const changed = await sql.unsafe(`
    ${to(`${inProject} and id = ${quoted(id)}::uuid`)} returning id;
    update alerts set closed_at = greatest(now(), opened_at)
    where ${inProject} and rule_id = ${quoted(id)}::uuid and closed_at is null`);
  return changed.length === 1;
}
