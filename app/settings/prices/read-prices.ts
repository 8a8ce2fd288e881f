import { PROJECT } from "#app/_frame/view.ts";
import { watermarkMs } from "#db/queries/frame.ts";
import { bookRows, rerateRows, termRows } from "#db/queries/prices-page.ts";
import { unpricedModels, unpricedProducts } from "#db/queries/spend-page.ts";
import { readPart } from "../read-part.ts";

export const ROWS_MAX = 300;
export const LISTED_MAX = 50;
export const UNPRICED_DAYS = 30;
const DAY_MS = 86_400_000;

/** What the page says, each part on its own. `search` is looked for in the names of models and in notes. */
export async function readPrices(nowMs: number, search: string) {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const month = { project: PROJECT, interval: { fromMs: nowMs - UNPRICED_DAYS * DAY_MS, toMs: nowMs }, filter: {} };
  const [unpriced, book, terms, rerates, watermark] = await Promise.all([
    readPart(async (tx) => ({
      models: await unpricedModels(tx, month, LISTED_MAX),
      products: await unpricedProducts(tx, month, LISTED_MAX),
    })),
    // One more than is shown tells that there are more.
    readPart((tx) => bookRows(tx, search, today, ROWS_MAX + 1)),
    readPart((tx) => termRows(tx, PROJECT, LISTED_MAX)),
    readPart((tx) => rerateRows(tx, PROJECT, LISTED_MAX)),
    readPart((tx) => watermarkMs(tx)),
  ]);
  return { today, unpriced, book, terms, rerates, watermark };
}
