/** A statement as it stands in a source; what is put into it is `$0`. */
export interface SqlText {
  line: number;
  text: string;
}

const IS_SQL =
  /\bselect\b[\s\S]*\bfrom\b|\binsert\s+into\b|\bupdate\s+\S+(\s+(as\s+)?\w+)?\s+set\b|\bdelete\s+from\b|\block\s+table\b|\b(create|alter|drop|truncate|listen|notify|copy)\s+\w|pg_\w*advisory/i;

/** The SQL statements in the string literals of a TypeScript source, those inside of an interpolation apart. */
export function sqlTextsOf(source: string): SqlText[] {
  return literalsOf(source)
    .filter(({ text }) => IS_SQL.test(text))
    .flatMap(({ line, text }) => statementsOf(text).map((statement) => ({ line, text: statement })))
    .filter(({ text }) => text.trim() !== "");
}

/** Without comments and values. Bodies in dollar quotes are statements like others. */
export const statementsOf = (text: string): string[] =>
  text
    .replace(/--(?!>).*$/gm, " ")
    .replace(/'(?:[^']|'')*'/g, "'…'")
    .split(/;|-->\s*statement-breakpoint/);

function literalsOf(source: string): SqlText[] {
  const found: SqlText[] = [];
  let at = 0;
  code(() => at >= source.length);
  return found;

  /** Up to where `over` says. */
  function code(over: () => boolean) {
    let depth = 0;
    let before = "";
    while (at < source.length && !(depth === 0 && over())) {
      const here = source[at] as string;
      if (source.startsWith("//", at)) at = indexAfter("\n");
      else if (source.startsWith("/*", at)) at = indexAfter("*/");
      else if (here === "/" && /^$|[(,=:[!&|?{};+\n]/.test(before)) at += regexAt(source.slice(at));
      else if (here === '"' || here === "'") string(here);
      else if (here === "`") template();
      else {
        if (here === "{") depth++;
        if (here === "}") depth--;
        at++;
      }
      if (here.trim()) before = here;
    }
  }

  function string(quote: string) {
    const from = ++at;
    while (at < source.length && source[at] !== quote) at += source[at] === "\\" ? 2 : 1;
    keep(from, source.slice(from, at));
    at++;
  }

  function template() {
    const from = ++at;
    let text = "";
    while (at < source.length && source[at] !== "`")
      if (source.startsWith("${", at)) {
        const begin = at + 2;
        at = begin;
        code(() => source[at] === "}");
        text += placeholder(source.slice(begin, at));
        at++;
      } else {
        const step = source[at] === "\\" ? 2 : 1;
        text += source.slice(at, at + step);
        at += step;
      }
    keep(from, text);
    at++;
  }

  function keep(from: number, text: string) {
    found.push({ line: source.slice(0, from).split("\n").length, text });
  }

  function indexAfter(end: string): number {
    const index = source.indexOf(end, at);
    return index < 0 ? source.length : index + end.length;
  }
}

/** A condition on calls' ids (db/of-calls.ts) is handed the column that it is about. */
function placeholder(code: string): string {
  const column = /\("((?:\w+\.)?\w*id)"\)$/.exec(code)?.[1];
  return column ? `${column} = $0` : "$0";
}

/** How long the regular expression at the start of a text is. */
const regexAt = (text: string): number => /^\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])+\/\w*/.exec(text)?.[0].length ?? 1;
