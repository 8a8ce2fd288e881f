import type { Sql } from "postgres";

/** Somebody who holds a lock that is waited for, or stands before us in its queue. */
export interface Holder {
  pid: number;
  /** The application's name for itself; empty: it has none, or this user may not see it. */
  name: string;
  /** How long its transaction has been open; null: not to be seen. */
  seconds: number | null;
  /** How its statement begins, without any value; empty: not to be seen. */
  statement: string;
}

const LOOK_MS = 500;
const STATEMENT_CHARACTERS_MAX = 100;

/**
 * Looks, while statements run, for whom they wait: after a lock timeout that cannot be asked any more. `name` is the waiting
 * connection's application_name. Needs a connection of its own, and only when it all takes longer than a moment. `seen` gives those
 * who were found last.
 */
export function watchHolders(sql: Sql, name: string): { seen(): Holder[]; stop(): void } {
  let seen: Holder[] = [];
  let looking = false;
  const timer = setInterval(async () => {
    if (looking) return;
    looking = true;
    try {
      const found = await holdersOf(sql, name);
      if (found.length) seen = found;
    } catch {
      // Who cannot be asked is not named.
    } finally {
      looking = false;
    }
  }, LOOK_MS);
  return { seen: () => seen, stop: () => clearInterval(timer) };
}

async function holdersOf(sql: Sql, name: string): Promise<Holder[]> {
  const rows = await sql<Holder[]>`
    select distinct
      holder.pid, coalesce(holder.application_name, '') as name,
      extract(epoch from now() - holder.xact_start)::int as seconds, coalesce(holder.query, '') as statement
    from pg_stat_activity waiting
    cross join lateral unnest(pg_blocking_pids(waiting.pid)) as blocking (pid)
    join pg_stat_activity holder on holder.pid = blocking.pid
    where waiting.application_name = ${name} and waiting.datname = current_database()
    order by holder.pid`;
  return rows.map((row) => ({ ...row, statement: beginningOf(row.statement) }));
}

/** Up to the first value: what stands in quotes may be somebody's content. */
export function beginningOf(statement: string): string {
  const words = statement
    .replace(/--.*|\/\*[\s\S]*?(\*\/|$)/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  const shown = words.slice(0, Math.min(valueAt(words), STATEMENT_CHARACTERS_MAX)).trim();
  return shown.length < words.length ? `${shown} …` : shown;
}

/** Where the first literal begins: in quotes or dollar quotes. */
function valueAt(words: string): number {
  const at = words.search(/'|\$(?!\d)/);
  return at < 0 ? words.length : at;
}
