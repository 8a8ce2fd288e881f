import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { ALERT_MEASURES } from "#lib/alert.ts";
import { instant, listed } from "./columns.ts";

/** What people want to be told about: a measure that goes above a threshold. Written by the dashboard. */
export const alertRules = pgTable(
  "alert_rules",
  {
    id: uuid().primaryKey(),
    projectId: text().notNull(),
    /** lib/alert.ts: says the unit too. */
    measure: text().notNull(),
    /** Which calls: attribute → wanted value. Empty: all. */
    scope: jsonb().notNull().$type<Record<string, string>>(),
    threshold: doublePrecision().notNull(),
    windowMinutes: integer().notNull(),
    enabled: boolean().notNull(),
    createdAt: instant().notNull().defaultNow(),
    /** By the recorder, whatever came of it; null = not yet. */
    checkedAt: instant(),
    /** The measure when it was last checked; null = too few calls to say, or a problem. */
    lastValue: doublePrecision(),
    /** How many calls it is of; null = the measure is not of calls. */
    lastCalls: integer(),
    /** Why the last check came to nothing, in words that end a sentence; null = it did not. */
    problem: text(),
  },
  (t) => [
    check("alert_rules_measure", sql`${t.measure} in (${listed(ALERT_MEASURES.map(({ name }) => name))})`),
    check("alert_rules_threshold", sql`${t.threshold} >= 0`),
    check("alert_rules_window", sql`${t.windowMinutes} between 1 and 10080`),
  ],
);

/** Each time that a rule's threshold was passed, and until when. Kept when the rule is deleted. */
export const alerts = pgTable(
  "alerts",
  {
    id: uuid().primaryKey(),
    projectId: text().notNull(),
    ruleId: uuid().notNull(),
    /** As the rule was then. */
    measure: text().notNull(),
    scope: jsonb().notNull().$type<Record<string, string>>(),
    threshold: doublePrecision().notNull(),
    windowMinutes: integer().notNull(),
    openedAt: instant().notNull(),
    /** null = still above. */
    closedAt: instant(),
    lastValue: doublePrecision().notNull(),
    worstValue: doublePrecision().notNull(),
    /** How many calls the last value is of; null = the measure is not of calls. */
    calls: integer(),
  },
  (t) => [
    index("alerts_open").on(t.projectId, t.openedAt.desc()),
    // A rule has one open alert at most, whoever checks it.
    uniqueIndex("alerts_rule_open").on(t.ruleId).where(sql`${t.closedAt} is null`),
  ],
);
