import { sql } from "drizzle-orm";
import { check, date, index, integer, jsonb, numeric, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

/**
 * What a project pays instead of the list: a discount or a markup as a factor on every price of the models that match. Rows are added, never
 * changed: a term ends where a newer one for the same models begins.
 */
export const priceTerms = pgTable(
  "price_terms",
  {
    id: uuid().primaryKey(),
    projectId: text().notNull(),
    /** A model as the price book names it; a last `*` is any rest. */
    models: text().notNull(),
    /** null: any upstream. */
    upstream: text(),
    /** 0.9 is ten percent off. */
    factor: numeric().notNull(),
    effectiveFrom: date({ mode: "string" }).notNull(),
    note: text().notNull(),
    addedAt: instant().notNull().defaultNow(),
  },
  (t) => [
    index("price_terms_from").on(t.projectId, t.effectiveFrom),
    check("price_terms_factor", sql`${t.factor} >= 0 and ${t.factor} <= 100`),
  ],
);

/** A period that was priced again: what was asked, and what it came to before and after. */
export const rerates = pgTable(
  "rerates",
  {
    id: uuid().primaryKey(),
    projectId: text().notNull(),
    /** UTC days, the last one included. */
    fromDay: date({ mode: "string" }).notNull(),
    toDay: date({ mode: "string" }).notNull(),
    startedAt: instant().notNull().defaultNow(),
    finishedAt: instant(),
    calls: integer().notNull().default(0),
    linesChanged: integer().notNull().default(0),
    costBeforeUsd: numeric(),
    costAfterUsd: numeric(),
    /** By model: before, after, lines. */
    report: jsonb().notNull().$type<unknown>(),
  },
  (t) => [index("rerates_started").on(t.projectId, t.startedAt)],
);
