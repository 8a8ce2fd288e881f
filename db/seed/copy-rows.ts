import { once } from "node:events";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import type { Sql } from "postgres";

/** One key per column, in the same order in every row of a table (db/rows.ts). */
export type Row = Record<string, unknown>;

export interface CopyWriter {
  /** Waits where the connection is full. */
  write(rows: readonly Row[]): Promise<void>;
  /** Resolves when the server has taken all of it. */
  end(): Promise<void>;
  /** Nothing of what was written is kept. */
  abort(error: Error): void;
}

/** Fills a table by COPY, on a connection of its own; it begins with the first row. */
export function copyRows(sql: Sql, table: string): CopyWriter {
  let stream: Writable | null = null;
  let done: Promise<void> = Promise.resolve();
  let failure: Error | null = null;

  async function begin(columns: string[]): Promise<Writable> {
    const query = sql`copy ${sql(table)} (${sql(columns)}) from stdin`;
    const begun = await query.writable();
    // An error behind the last row is told to the query alone, which has been answered with the stream by then.
    (query as unknown as { reject(error: Error): void }).reject = (error) => begun.destroy(error);
    done = finished(begun);
    done.catch((error: Error) => {
      failure = error;
    });
    return begun;
  }

  return {
    async write(rows) {
      if (!rows[0]) return;
      stream ??= await begin(Object.keys(rows[0]));
      if (failure) throw failure;
      if (!stream.write(copyText(rows))) await Promise.race([once(stream, "drain"), done]);
    },
    async end() {
      stream?.end();
      await done;
      stream = null;
    },
    abort: (error) => stream?.destroy(error),
  };
}

/** Rows in the text format of COPY (https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"). */
export function copyText(rows: readonly Row[]): string {
  let text = "";
  for (const row of rows) {
    let separator = "";
    for (const column in row) {
      text += separator + cell(row[column]);
      separator = "\t";
    }
    text += "\n";
  }
  return text;
}

/** Many rows share their lists and tags. */
const written = new WeakMap<object, string>();

function cell(value: unknown): string {
  switch (typeof value) {
    case "string":
      return escaped(value);
    case "number":
      return `${value}`;
    case "boolean":
      return value ? "t" : "f";
    case "object":
      return value === null ? "\\N" : objectCell(value);
    default:
      return "\\N";
  }
}

function objectCell(value: object): string {
  if (Buffer.isBuffer(value)) return `\\\\x${value.toString("hex")}`;
  const known = written.get(value);
  if (known !== undefined) return known;
  const text = escaped(Array.isArray(value) ? arrayLiteral(value) : JSON.stringify(value));
  written.set(value, text);
  return text;
}

const arrayLiteral = (list: readonly string[]): string =>
  `{${list.map((text) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;

const escaped = (text: string): string =>
  SPECIAL.test(text) ? text.replaceAll(EACH_SPECIAL, (one) => ESCAPES[one] as string).toWellFormed() : text;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const SPECIAL = /[\\\b\f\n\r\t\v\u0000\ud800-\udfff]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the same, each of them, without halves of pairs.
const EACH_SPECIAL = /[\\\b\f\n\r\t\v\u0000]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  // Postgres has no such character.
  "\u0000": "\ufffd",
};
