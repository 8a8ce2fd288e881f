import type { Sql } from "postgres";
import { PROJECT } from "#app/_frame/view.ts";
import { addAlertRule, changeAlertThreshold, removeAlertRule, switchAlertRule } from "#db/alert-rules.ts";
import { ALERT_MEASURES } from "#lib/alert.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import type { AlertProblem } from "../problems.ts";
import { readWish, textOf } from "../read-wish.ts";
import type { Done } from "../said.ts";
import { parseThreshold } from "../threshold.ts";

/** What became of a form: what was done to which rule, or everything that is wrong with it. */
export type Change = { done: Done; rule: string } | { problems: AlertProblem[] };

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const nextId = createUuid7();

/** Does what the fields ask for, or nothing. */
export async function changeRules(sql: Sql, fields: Readonly<Record<string, unknown>>): Promise<Change> {
  if (fields.do === "add") return add(sql, fields);
  const rule = textOf(fields.rule).toLowerCase();
  const of = (done: Done, found: boolean): Change =>
    found ? { done, rule } : { problems: ["alert_unknown_rule"] as const satisfies AlertProblem[] };
  const isId = UUID.test(rule);
  switch (fields.do) {
    case "change": {
      const measure = ALERT_MEASURES.find(({ name }) => name === fields.measure)?.name;
      if (!measure) return { problems: ["alert_unknown_measure"] };
      const threshold = parseThreshold(measure, textOf(fields.threshold));
      if (typeof threshold === "string") return { problems: [threshold] };
      return of("changed", isId && (await changeAlertThreshold(sql, PROJECT, rule, measure, threshold)));
    }
    case "on":
    case "off":
      return of(fields.do, isId && (await switchAlertRule(sql, PROJECT, rule, fields.do === "on")));
    case "delete":
      return of("deleted", isId && (await removeAlertRule(sql, PROJECT, rule)));
    default:
      return { problems: ["alert_unknown_action"] };
  }
}

async function add(sql: Sql, fields: Readonly<Record<string, unknown>>): Promise<Change> {
  const wish = readWish(fields);
  if (Array.isArray(wish)) return { problems: wish };
  const rule = nextId();
  const added = await addAlertRule(sql, PROJECT, rule, wish);
  return added ? { done: "added", rule } : { problems: ["alert_too_many"] };
}
