import { database } from "#app/_data/database.ts";
import { PROJECT, type View } from "#app/_frame/view.ts";
import { type AlertHint, alertHints } from "#db/queries/alert-hints.ts";
import { OTHER } from "#db/queries/call-filter.ts";
import { optionsOf } from "#db/queries/calls-page.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { alertHistory, alertRules } from "#db/queries/settings-page.ts";
import { snapshot } from "#db/queries/snapshot.ts";

const DAY_MS = 86_400_000;
const HISTORY_MAX = 50;
/** Values that a field offers; others are typed. */
const OFFERED = 50;
/** Hints are not worth waiting for. */
const HINTS_MS = 1500;

export type Offered = Record<"feature" | "model" | "environment", string[]>;

/** Everything on the page; the hints apart, because they may take too long. */
export async function readSettings({ nowMs }: View) {
  const week = { project: PROJECT, interval: { fromMs: nowMs - 7 * DAY_MS, toMs: nowMs }, filter: {} };
  const sql = database();
  const [page, hints] = await Promise.all([
    snapshot(sql, async (tx) => {
      const offeredOf = async (attribute: keyof Offered) =>
        (await optionsOf(tx, week, attribute, OFFERED)).options
          .map(({ value }) => value)
          .filter((value) => value !== "" && value !== OTHER);
      return {
        rules: await alertRules(tx, PROJECT),
        history: await alertHistory(tx, PROJECT, HISTORY_MAX),
        offered: {
          feature: await offeredOf("feature"),
          model: await offeredOf("model"),
          environment: await offeredOf("environment"),
        } satisfies Offered,
        watermark: await watermarkMs(tx),
      };
    }),
    readHints(nowMs),
  ]);
  return { ...page, hints };
}

/** null: it would have taken too long. */
async function readHints(nowMs: number): Promise<AlertHint[] | null> {
  try {
    return await snapshot(database(), (tx) => alertHints(tx, PROJECT, nowMs), HINTS_MS);
  } catch (error) {
    if ((error as { code?: unknown }).code === "57014") return null;
    throw error;
  }
}
