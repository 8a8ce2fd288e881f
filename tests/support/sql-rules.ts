import { PLACES } from "#db/citus.ts";

/** What Citus cannot do, does otherwise, or does on all shards at once; and what a pooler in transaction mode cannot keep. */
export const RULES = {
  "cross-shard write": "an update or delete that does not name the distribution column goes to every shard",
  "moved row": "the distribution column of a row cannot be changed",
  "conflict key": "a conflict is only seen inside of a shard: its key must contain the distribution column",
  "affected rows": "how many rows `on conflict do nothing` wrote is not reliable, nor is what it returns",
  "writing cte": "a write inside of a CTE is refused, unless all of it is on one shard",
  "row lock": "rows of several shards cannot be locked by a select",
  "table lock": "a lock on a table is taken on every node",
  "advisory lock": "it is one node's: only those who connect to the same node see it",
  "joined with local": "a table on the coordinator is sent to every node, or the shards' rows to the coordinator",
  "subquery elsewhere":
    "a subquery over shards that is not joined by the distribution column is refused, or run first and whole",
  "lateral elsewhere": "a lateral subquery over shards that is not joined by the distribution column is refused",
  "grouping sets": "they are refused over several shards",
  recursion: "it is refused over several shards",
  session: "what a session keeps is lost behind a pooler in transaction mode",
} as const;
export type Rule = keyof typeof RULES;

/** The rules that a statement breaks; its comments and values are taken out. */
export function brokenBy(statement: string): Rule[] {
  const text = statement.toLowerCase().replace(/\s+/g, " ").trim();
  const tables = tablesIn(text);
  const spread = tables.filter((name) => PLACES[name]?.kind === "distributed");
  const broken: [Rule, boolean][] = [
    ["cross-shard write", writesAcross(text)],
    ["moved row", /^update (\w+)/.test(text) && movesRow(text)],
    ["conflict key", conflictsElsewhere(text)],
    ["affected rows", isSpreadInsert(text) && /on conflict( \([^)]*\))? do nothing returning/.test(text)],
    ["writing cte", spread.length > 0 && /\bas (not )?(materialized )?\( ?(insert|update|delete)\b/.test(text)],
    ["row lock", spread.length > 0 && /\bfor (no key )?(update|share)\b/.test(text)],
    ["table lock", /\block table\b/.test(text) && tables.some((name) => PLACES[name]?.kind !== "local")],
    ["advisory lock", /\bpg_(try_)?advisory_/.test(text)],
    ["joined with local", spread.length > 0 && tables.some((name) => PLACES[name]?.kind === "local")],
    [
      "subquery elsewhere",
      subqueriesIn(text).some(({ before, inner }) => !/lateral ?$/.test(before) && isElsewhere(inner, before)),
    ],
    [
      "lateral elsewhere",
      subqueriesIn(text).some(({ before, inner }) => /lateral ?$/.test(before) && isElsewhere(inner, "in")),
    ],
    ["grouping sets", spread.length > 0 && /\b(grouping sets|cube|group by rollup) ?\(/.test(text)],
    ["recursion", spread.length > 0 && /\bwith recursive\b/.test(text)],
    [
      "session",
      /^(un)?listen\b|^notify\b|\bpg_(try_)?advisory_(un)?lock|\bcreate temp(orary)?\b(?!.* on commit drop)|^set (?!local\b)|\bwith hold\b|^prepare\b|^discard\b/.test(
        text,
      ),
    ],
  ];
  return broken.filter(([, isBroken]) => isBroken).map(([rule]) => rule);
}

/** Views are what they are made of. */
const VIEWS: Record<string, string> = { feedback_current: "feedback" };

function tablesIn(text: string): string[] {
  const listed = /\block table ([\w, ]+?) in \w+/.exec(text)?.[1]?.split(",") ?? [];
  const named = [...text.matchAll(/\b(?:from|join|into|update|using) (?:only )?"?(\w+)"?/g)].map(([, name]) => name);
  return [...named, ...listed.map((name) => name.trim())]
    .map((name) => VIEWS[name as string] ?? (name as string))
    .filter((name) => PLACES[name]);
}

const columnOf = (table: string | undefined): string | null => {
  const place = table ? PLACES[table] : undefined;
  return place?.kind === "distributed" ? place.by : null;
};

/** A comparison that leads to one shard, or to those of a list. */
const names = (column: string, text: string): boolean =>
  new RegExp(`\\b(\\w+\\.)?${column} (=|in\\b)|= (\\w+\\.)?${column}\\b|\\(${column}[,)]`).test(text);

function writesAcross(text: string): boolean {
  return [...text.matchAll(/\b(?:delete from|update) (?:only )?(\w+)\b(?! set \w+ = excluded)/g)].some((found) => {
    const column = columnOf(found[1]);
    if (!column) return false;
    const [, condition = ""] = /\bwhere\b(.*)/.exec(text.slice(found.index)) ?? [];
    return !names(column, condition);
  });
}

function movesRow(text: string): boolean {
  const [, table, set = ""] = /^update (\w+)(?: as)?(?: \w+)? set (.*?)(?: where\b|$)/.exec(text) ?? [];
  const column = columnOf(table);
  return column !== null && new RegExp(`(^|, ?)${column} =`).test(set);
}

function conflictsElsewhere(text: string): boolean {
  const [, table] = /\binsert into (\w+)/.exec(text) ?? [];
  const column = columnOf(table);
  const [, key] = /\bon conflict \(([^)]*)\)/.exec(text) ?? [];
  return column !== null && key !== undefined && !new RegExp(`\\b${column}\\b`).test(key);
}

const isSpreadInsert = (text: string): boolean => columnOf(/\binsert into (\w+)/.exec(text)?.[1]) !== null;

interface Subquery {
  before: string;
  inner: string;
}

/** What stands in parentheses and begins with a select, CTEs aside: those are run by themselves. */
function subqueriesIn(text: string): Subquery[] {
  return [...text.matchAll(/\( ?select\b/g)].map(({ index }) => {
    let depth = 0;
    let end = index;
    do {
      if (text[end] === "(") depth++;
      if (text[end] === ")") depth--;
      end++;
    } while (depth > 0 && end < text.length);
    return { before: text.slice(Math.max(0, index - 24), index), inner: text.slice(index + 1, end - 1) };
  });
}

/** Reads shards, and neither leads to some of them nor stands where a whole result may stand (a CTE, a table of its own). */
function isElsewhere(inner: string, before: string): boolean {
  if (/\b(as( not)?( materialized)?|from|join|union|all|except) ?$/.test(before)) return false;
  const [, table] = /\bfrom (?:only )?(\w+)/.exec(inner) ?? [];
  const column = columnOf(table);
  return column !== null && !names(column, inner);
}
