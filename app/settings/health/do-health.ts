import type { Sql } from "postgres";
import { cancelSlowQuery } from "#db/queries/health-activity.ts";
import { askRetry } from "#db/set-aside.ts";
import type { HealthAnswerName } from "./health-answer.tsx";

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const PID = /^\d{1,9}$/;
/** What must be done soon or not at all. */
const WITHIN_MS = 5000;

/** Does what a form of the Health section asks for: `retry` (an id, or `all`), or `cancel` (a pid) with `since`. Never throws. */
export async function doHealth(sql: Sql, fields: Readonly<Record<string, unknown>>): Promise<HealthAnswerName> {
  const { promise: late, resolve } = Promise.withResolvers<HealthAnswerName>();
  const timer = setTimeout(() => resolve("refused"), WITHIN_MS);
  try {
    return await Promise.race([late, act(sql, fields)]);
  } catch {
    return "refused";
  } finally {
    clearTimeout(timer);
  }
}

async function act(sql: Sql, { retry, cancel, since }: Readonly<Record<string, unknown>>): Promise<HealthAnswerName> {
  if (typeof retry === "string") {
    const which = retry === "all" ? retry : { id: retry.toLowerCase() };
    if (typeof which === "object" && !UUID.test(which.id)) return "unknown";
    return (await askRetry(sql, which)) > 0 ? "asked" : "nothing-asked";
  }
  if (typeof cancel === "string" && PID.test(cancel) && typeof since === "string")
    return (await cancelSlowQuery(sql, Number(cancel), since)) ? "cancelled" : "nothing-cancelled";
  return "unknown";
}
