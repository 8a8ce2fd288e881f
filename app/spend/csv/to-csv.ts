/** A cell: words, or a figure that is written as it is. */
export type Cell = { words: string } | { figure: string | number };

/** RFC 4180: lines end with CR LF, and what holds a comma, a quote or a line's end is quoted. */
export const toCsv = (header: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  csvRows([header.map((words) => ({ words })), ...rows]);

export const csvRows = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((row) => `${row.map(textOf).join(",")}\r\n`).join("");

function textOf(cell: Cell): string {
  if ("figure" in cell) return String(cell.figure);
  const text = harmless(cell.words);
  // Quoted at semicolons and tabs too: some programs divide there.
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A spreadsheet takes words that begin like a formula for one: an apostrophe says that they are words. */
const harmless = (words: string) => (/^[=+\-@＝＋－＠\t\r]/.test(words) ? `'${words}` : words);
