import type { NextRequest } from "next/server";
import { NotKept } from "#app/_data/read-failure.ts";
import { streamExport } from "#app/_data/stream-export.ts";
import { sealedSentence } from "#app/_frame/sealed-sentence.ts";
import { unservedBy } from "#app/_frame/unserved.ts";
import { scopeOf } from "#app/_frame/view.ts";
import { type SpendGrouping, type SpendOfGroupInSlot, spendBySlotAndGroup } from "#db/queries/spend-page.ts";
import { SPEND_FILTERS } from "#db/queries/spend-source.ts";
import { TOKEN_KINDS } from "#db/queries/spend-sums.ts";
import { sealedUntil } from "#db/sealed.ts";
import { MODALITIES } from "#lib/modalities.ts";
import { formatRange, msToWall } from "#lib/range.ts";
import { readSpendView, type SpendView, spendDays } from "../spend-view.ts";
import { type Cell, csvRows, toCsv } from "./to-csv.ts";

/** The page's figures by day and group, every amount exact: their sum is the page's total. */
export async function GET(request: NextRequest) {
  const view = readSpendView(Object.fromEntries(request.nextUrl.searchParams));
  const { grouping, zone } = view;
  const edges = spendDays(view);
  const name = `omnimeter-spend-${formatRange(view.range)}-${zone}-by-${grouping}.csv`.replace(/[^\w.-]+/g, "_");
  const headers = {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": `attachment; filename="${name}"`,
  };
  return streamExport(request, headers, async function* (tx) {
    assertKept(view, await sealedUntil(tx));
    // With the first rows, not before them: until then a failure can still be an answer of its own.
    let header = toCsv(headerOf(grouping), []);
    for await (const rows of spendBySlotAndGroup(tx, scopeOf(view), grouping, edges)) {
      yield header + csvRows(rows.map((row) => cellsOf(row, grouping, edges, zone)));
      header = "";
    }
    if (header) yield header;
  });
}

/** A file has no place for the note that the page shows: figures that leave out dropped calls do not go into one. */
function assertKept({ filter, interval }: SpendView, sealedMs: number | null) {
  const unserved = unservedBy(filter, SPEND_FILTERS);
  const sealed = unserved && sealedSentence(sealedMs, interval.fromMs);
  if (sealed)
    throw new NotKept(
      `${sealed} No rollup answers ${unserved}: choose a range that begins later, or remove the filter.`,
    );
}

const COUNTS = {
  calls: "calls",
  callsFailed: "calls_failed",
  callsUnpriced: "calls_unpriced",
  callsWithoutUsage: "calls_without_usage",
  tokensEstimated: "tokens_estimated",
  costUsd: "cost_usd",
  costEstimatedUsd: "cost_estimated_usd",
  savedUsd: "cache_saving_usd",
  feesUsd: "fees_usd",
} as const;
const CELLS = MODALITIES.flatMap(({ name }) => TOKEN_KINDS.map((kind) => ({ modality: name, kind })));

const headerOf = (grouping: SpendGrouping): string[] => [
  "day",
  "from",
  "until",
  ...(grouping === "version" ? ["template", "template_version"] : [grouping]),
  ...Object.values(COUNTS),
  ...CELLS.flatMap(({ modality, kind }) => [`${modality}_${kind}_tokens`, `${modality}_${kind}_usd`]),
];

function cellsOf(row: SpendOfGroupInSlot, grouping: SpendGrouping, edges: readonly number[], zone: string): Cell[] {
  const from = edges[row.slot - 1] ?? 0;
  const until = edges[row.slot] ?? 0;
  return [
    { words: new Date(msToWall(from, zone)).toISOString().slice(0, 10) },
    { words: new Date(from).toISOString() },
    { words: new Date(until).toISOString() },
    { words: row.name },
    ...(grouping === "version" ? [{ words: row.version }] : []),
    ...Object.keys(COUNTS).map((name) => ({ figure: row[name as keyof typeof COUNTS] })),
    ...CELLS.flatMap(({ modality, kind }) => {
      const { tokens, usd } = row.cells[modality][kind];
      return [{ figure: tokens }, { figure: usd }];
    }),
  ];
}
