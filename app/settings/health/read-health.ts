import { dearestStatements, slowQueries } from "#db/queries/health-activity.ts";
import { daysDue, jobHealth } from "#db/queries/health-jobs.ts";
import { dropsByReason, equationOfAll, spoolHealth } from "#db/queries/health-spools.ts";
import { sizeBefore, tableSizes } from "#db/queries/health-tables.ts";
import { setAsideRows } from "#db/queries/set-aside.ts";
import { readConfig } from "#lib/config.ts";
import { readPart } from "../read-part.ts";

export const SPOOLS_MAX = 50;
export const SET_ASIDE_MAX = 50;
export const SLOW_MAX = 20;
const STATEMENTS_MAX = 5;
const DAY_MS = 86_400_000;
/** What goes within so many days is said. */
export const FREED_DAYS = 30;

/** How the store and what leads to it are; each part on its own. */
export async function readHealth(nowMs: number) {
  const [equation, spools, drops, setAside, slow, statements, tables, freed, jobs, due] = await Promise.all([
    readPart((tx) => equationOfAll(tx)),
    readPart((tx) => spoolHealth(tx, SPOOLS_MAX)),
    readPart((tx) => dropsByReason(tx)),
    readPart((tx) => setAsideRows(tx, SET_ASIDE_MAX)),
    readPart((tx) => slowQueries(tx, SLOW_MAX)),
    readPart((tx) => dearestStatements(tx, STATEMENTS_MAX)),
    readPart((tx) => tableSizes(tx, nowMs)),
    readPart(async (tx) => {
      const { contentDays, factsDays } = readConfig();
      const soon = (days: number | null, of: readonly string[]) =>
        days === null ? null : sizeBefore(tx, of, nowMs + (FREED_DAYS - days) * DAY_MS);
      return {
        content: await soon(contentDays, ["payloads"]),
        facts: await soon(factsDays, ["calls", "usage_lines", "tool_calls"]),
      };
    }),
    readPart((tx) => jobHealth(tx)),
    readPart((tx) => daysDue(tx)),
  ]);
  return { equation, spools, drops, setAside, slow, statements, tables, freed, jobs, due };
}

export type Health = Awaited<ReturnType<typeof readHealth>>;
