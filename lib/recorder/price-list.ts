import type { Price, PriceOrigin } from "#lib/price.ts";
import { columnOf, PRICE_COLUMNS, PRICE_PROBLEMS, type PriceColumn, quotedAs, readPrice } from "#lib/read-price.ts";

/** A row of a list, and the line of the file that it begins on. */
export interface ListedPrice {
  line: number;
  price: Price;
}

const ROWS_MAX = 50_000;
/** Of a bad list; the rest is counted. */
const SAID_MAX = 20;
/** Where rows come from is not theirs to say. */
const LEFT_OUT = "origin";

/** A list of prices as CSV, with the columns of PRICE_COLUMNS in any order; or what is wrong with it, in sentences with their lines. */
export function readPriceList(text: string, origin: PriceOrigin): ListedPrice[] | string[] {
  const records = parseCsv(text.replace(/^\ufeff/, ""));
  if (typeof records === "string") return [records];
  const [head, ...rows] = records;
  const names = head?.cells.map((name) => name.trim()) ?? [];
  const missing = REQUIRED[origin === "own" ? "own" : "list"].filter((name) => !names.includes(name));
  if (missing.length)
    return [
      `line 1: list_bad_columns: ${missing.join(", ")} is missing; a list has the columns ${PRICE_COLUMNS.join(",")}.`,
    ];
  const strange = names.filter((name) => !isColumn(name) && name !== LEFT_OUT);
  if (strange.length) return [`line 1: list_bad_columns: nobody knows the column ${strange.join(", ")}; take it out.`];
  if (rows.length > ROWS_MAX) return [`list_too_long: ${rows.length} rows are more than ${ROWS_MAX}; split the list.`];
  const read = rows.map(({ line, cells }) => ({ line, cells, price: readRow(names, cells, origin) }));
  const wrong = read.flatMap(({ line, price }) =>
    Array.isArray(price) ? price.map((says) => `line ${line}: ${says}`) : [],
  );
  if (wrong.length)
    return [
      ...wrong.slice(0, SAID_MAX),
      ...(wrong.length > SAID_MAX ? [`… and ${wrong.length - SAID_MAX} more.`] : []),
    ];
  return read.flatMap(({ line, price }) => (Array.isArray(price) ? [] : [{ line, price }]));
}

const REQUIRED: Record<"own" | "list", readonly PriceColumn[]> = {
  list: PRICE_COLUMNS.filter((name) => name !== "note"),
  own: ["model", "unit", "direction", "modality", "cached", "tier", "usd", "effective_from"],
};

const isColumn = (name: string): name is PriceColumn => (PRICE_COLUMNS as readonly string[]).includes(name);

function readRow(names: readonly string[], cells: readonly string[], origin: PriceOrigin): Price | string[] {
  if (cells.length !== names.length)
    return [`list_bad_row: it has ${cells.length} cells, and ${names.length} columns have names.`];
  const price = readPrice(Object.fromEntries(names.map((name, i) => [name, cells[i] as string])), origin);
  return Array.isArray(price) ? price.map((code) => `${code}: ${PRICE_PROBLEMS[code].sentence}`) : price;
}

/** As RFC 4180 has it; lines may end without a carriage return, and empty ones are left out. A string says what is wrong. */
function parseCsv(text: string): { line: number; cells: string[] }[] | string {
  const records: { line: number; cells: string[] }[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let line = 1;
  let record = { line, cells: [] as string[] };
  while (cell.lastIndex < text.length || record.cells.length) {
    const found = cell.exec(text);
    if (!found) return `line ${line}: list_bad_csv: a quote stands where none may, or is not closed.`;
    const [all, quoted, plain = "", end] = found;
    record.cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += all.split("\n").length - 1;
    if (end === ",") continue;
    if (record.cells.length > 1 || record.cells[0] !== "") records.push(record);
    record = { line, cells: [] };
    if (end === "") break;
  }
  return records;
}

/** The list that `readPriceList` reads, with where each row comes from. */
export function writePriceList(prices: readonly Price[]): string {
  const rows = prices.map((price) => [
    price.model,
    columnOf(quotedAs(price)),
    price.direction,
    price.modality,
    price.cache === "none" ? "no" : price.cache,
    price.tier,
    price.usd,
    price.effectiveFrom,
    price.source,
    price.dateBasis,
    price.confidence,
    price.note ?? "",
    price.origin,
  ]);
  return [[...PRICE_COLUMNS, LEFT_OUT], ...rows].map((cells) => cells.map(escaped).join(",")).join("\n");
}

const escaped = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
