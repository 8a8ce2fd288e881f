import type { Sql } from "postgres";
import { RebuildError, rebuildRollups } from "#db/rebuild-rollups.ts";
import { type Difference, differences } from "#db/referee.ts";
import { withDatabase } from "./with-database.ts";

const USAGE = `Usage: npm run rebuild-rollups -- --from 2026-10-01 --to 2026-11-01           counts these UTC days anew, the last one excluded, while traffic goes on
       npm run rebuild-rollups -- --from 2026-10-01 --to 2026-11-01 --check   says where they differ from a recount, and changes nothing`;
const DAY_MS = 86_400_000;

interface Wanted {
  fromMs: number;
  toMs: number;
  check: boolean;
}

/** A string says what is wrong. */
function readArguments(args: readonly string[]): Wanted | string {
  const given = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const name = args[i] as string;
    if (name === "--check") given.set(name, "");
    else if ((name === "--from" || name === "--to") && args[i + 1]) given.set(name, args[++i] as string);
    else return USAGE;
  }
  const [from, to] = [given.get("--from"), given.get("--to")];
  if (from === undefined || to === undefined) return USAGE;
  const bad = [from, to].find((day) => dayMs(day) === null);
  if (bad !== undefined) return `bad_date: "${bad}" is no day; write it as 2026-10-01.`;
  const [fromMs, toMs] = [dayMs(from), dayMs(to)] as [number, number];
  if (fromMs >= toMs) return `bad_date: ${to} is not after ${from}; the last day is excluded.`;
  return { fromMs, toMs, check: given.has("--check") };
}

/** Null: not a day of the calendar. */
function dayMs(text: string): number | null {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? null : ms;
}

async function rebuild(sql: Sql, { fromMs, toMs }: Wanted): Promise<void> {
  const days = Math.ceil((toMs - fromMs) / DAY_MS);
  let done = 0;
  try {
    await rebuildRollups(sql, fromMs, toMs, (day) => console.log(`rebuilt ${day} (${++done} of ${days})`));
  } catch (error) {
    if (error instanceof RebuildError) {
      console.error(`${error.code}: ${error.message}`);
      process.exitCode = 1;
      return;
    }
    const next = dateOf(fromMs + done * DAY_MS);
    console.error(`Stopped in ${next}; to go on: npm run rebuild-rollups -- --from ${next} --to ${dateOf(toMs)}`);
    throw error;
  }
}

async function check(sql: Sql, { fromMs, toMs }: Wanted): Promise<void> {
  const found = await differences(sql, fromMs, toMs, (day) => console.log(`checked ${day}`));
  for (const one of found) console.log(lineOf(one));
  if (found.length === 0) console.log("Everything is as a recount finds it.");
  else {
    console.error(`rollups_differ: ${found.length} rows differ; a rebuild of their days makes them anew.`);
    process.exitCode = 1;
  }
}

const lineOf = ({ table, side, row }: Difference): string => `${table}: only ${side}: ${JSON.stringify(row)}`;
const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
const wanted = readArguments(process.argv.slice(2));
if (typeof wanted === "string") {
  console.error(wanted);
  process.exitCode = 1;
} else await withDatabase((sql) => (wanted.check ? check(sql, wanted) : rebuild(sql, wanted)));
