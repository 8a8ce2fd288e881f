import type { Sql } from "postgres";
import { type AlertWish, standingOf } from "#lib/alert.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { type Measured, measureAlert } from "./queries/alert-measures.ts";
import { snapshot } from "./queries/snapshot.ts";
import { type Fence, whileHeld } from "./run-job.ts";

/** The job that checks rules: its row says when they were checked last. */
export const ALERTS_JOB = "alerts";

/** How often a rule is checked. A new one is checked when the job runs next. */
const CHECK_MS = 30_000;
const STATEMENT_MS = 2000;
/** Below the lease of the job. Rules that are not reached come first the next time. */
const RUN_MS = 40_000;
const PROBLEM_CHARACTERS_MAX = 200;
const CANCELED = "57014";

interface Rule extends AlertWish {
  id: string;
  project: string;
}

interface Checked extends Measured {
  problem: string | null;
}

/**
 * Checks the rules that are due: notes each one's value, and opens, updates or closes its alert. One that cannot be measured is
 * noted with the reason and does not stop the others. Ends early when the job is not held any more: nothing was written since.
 */
export async function checkAlerts(sql: Sql, nowMs: number, fence: Fence): Promise<void> {
  const rules = await sql<Rule[]>`
    select id, project_id as project, measure, scope, threshold, window_minutes as "windowMinutes"
    from alert_rules
    where enabled
      -- What was checked in the future was so by a clock that is wrong.
      and (checked_at is null or checked_at <= ${at(nowMs - CHECK_MS)}::timestamptz or checked_at > ${at(nowMs)}::timestamptz)
    order by checked_at nulls first, id`;
  const startedMs = performance.now();
  const nextId = createUuid7(() => nowMs);
  for (const rule of rules) {
    if (performance.now() - startedMs > RUN_MS) return;
    const checked = await check(sql, rule, nowMs);
    if (!(await note(sql, fence, rule, checked, nowMs, nextId()))) return;
  }
}

async function check(sql: Sql, rule: Rule, nowMs: number): Promise<Checked> {
  try {
    const measured = await snapshot(sql, (tx) => measureAlert(tx, rule.project, rule, nowMs), {
      timeoutMs: STATEMENT_MS,
      as: "omnimeter alerts",
    });
    return { ...measured, problem: null };
  } catch (error) {
    return { value: null, calls: null, problem: problemOf(error as Error & { code?: string }) };
  }
}

function problemOf({ code, message }: Error & { code?: string }): string {
  if (code === CANCELED) return `it took longer than ${STATEMENT_MS / 1000} s (a shorter window takes less)`;
  return message.slice(0, PROBLEM_CHARACTERS_MAX);
}

/**
 * False: the job is not held any more. A rule that was changed, switched off or deleted since it was read is left as it is. What
 * is written together with the rule waits for its lock, as every change of the rule does (db/alert-rules.ts).
 */
async function note(sql: Sql, fence: Fence, rule: Rule, checked: Checked, nowMs: number, alertId: string) {
  const [row] = await sql<{ held: boolean }[]>`
    with held as materialized (${whileHeld(sql, fence)}),
    rule as (
      update alert_rules set
        checked_at = ${at(nowMs)}::timestamptz, last_value = ${checked.value}::float8, last_calls = ${checked.calls}::int,
        problem = ${checked.problem}
      where id = ${rule.id} and enabled and threshold = ${rule.threshold}::float8 and exists (select from held)
      returning *
    ),
    alert as (${alertOf(sql, rule, checked, nowMs, alertId)})
    select exists (select from held) as held`;
  return row?.held ?? false;
}

/** What becomes of the rule's alert; at most one is open. */
function alertOf(sql: Sql, { threshold }: Rule, { value, calls }: Checked, nowMs: number, alertId: string) {
  const last = sql`last_value = ${value}::float8, calls = ${calls}::int`;
  const open = sql`from rule where rule.id = alerts.rule_id and alerts.closed_at is null`;
  switch (standingOf(value, threshold)) {
    case "unknown":
      return sql`select`;
    case "between":
      return sql`update alerts set ${last} ${open}`;
    case "below":
      return sql`update alerts set ${last}, closed_at = ${at(nowMs)}::timestamptz ${open}`;
    case "above":
      return sql`
        insert into alerts as a (
          id, project_id, rule_id, measure, scope, threshold, window_minutes, opened_at, last_value, worst_value, calls
        )
        select
          ${alertId}::uuid, project_id, id, measure, scope, threshold, window_minutes, ${at(nowMs)}::timestamptz,
          last_value, last_value, last_calls
        from rule
        on conflict (rule_id) where closed_at is null do update set
          last_value = excluded.last_value, calls = excluded.calls,
          worst_value = greatest(a.worst_value, excluded.worst_value)`;
  }
}

const at = (ms: number): string => new Date(ms).toISOString();
