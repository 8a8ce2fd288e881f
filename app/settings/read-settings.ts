import { PROJECT, type View } from "#app/_frame/view.ts";
import { alertHints } from "#db/queries/alert-hints.ts";
import { OTHER } from "#db/queries/call-filter.ts";
import { optionsOf } from "#db/queries/call-options.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { alertHistory, alertRules } from "#db/queries/settings-page.ts";
import { readPart } from "./read-part.ts";

const DAY_MS = 86_400_000;
const HISTORY_MAX = 50;
/** Values that a field offers; others are typed. */
const OFFERED = 50;

export type Offered = Record<"feature" | "model" | "environment", string[]>;

/** What the page says of alerts, each part on its own: one that takes too long or fails leaves the others standing. */
export async function readSettings({ nowMs }: View) {
  const week = { project: PROJECT, interval: { fromMs: nowMs - 7 * DAY_MS, toMs: nowMs }, filter: {} };
  const [alerts, offered, hints, watermark] = await Promise.all([
    readPart(async (tx) => ({
      rules: await alertRules(tx, PROJECT),
      history: await alertHistory(tx, PROJECT, HISTORY_MAX),
    })),
    readPart(async (tx): Promise<Offered> => {
      const of = async (attribute: keyof Offered) =>
        (await optionsOf(tx, week, attribute, OFFERED)).options
          .map(({ value }) => value)
          .filter((value) => value !== "" && value !== OTHER);
      return { feature: await of("feature"), model: await of("model"), environment: await of("environment") };
    }),
    readPart((tx) => alertHints(tx, PROJECT, nowMs)),
    readPart((tx) => watermarkMs(tx)),
  ]);
  return { alerts, offered, hints, watermark };
}
