import { parseArgs } from "node:util";
import { CALLS_MIN, type CompanyOptions } from "./company.ts";
import { DemoError } from "./demo-error.ts";

const CALLS_MAX = 1_000_000_000;
const DAYS_MAX = 3650;

export const SEED_USAGE = "npm run seed -- --calls 1000000 [--days 60] [--seed 1] [--until 2026-11-20T00:00Z] [--add]";

/** @throws DemoError naming what is wrong and what to write instead */
export function seedArguments(words: readonly string[], nowMs: number): CompanyOptions & { add: boolean } {
  const { calls, days, seed, until, add } = parse(words);
  if (calls === undefined) throw wrong("--calls is missing");
  return {
    calls: whole("--calls", calls, CALLS_MIN, CALLS_MAX),
    days: whole("--days", days ?? "60", 4, DAYS_MAX),
    seed: whole("--seed", seed ?? "1", 0, 2 ** 32 - 1),
    untilMs: moment(until, nowMs),
    add: add ?? false,
  };
}

function parse(words: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { calls: text, days: text, seed: text, until: text, add: { type: "boolean" } } as const;
  try {
    return parseArgs({ args: [...words], options }).values;
  } catch (error) {
    throw wrong((error as Error).message.split(". ", 1)[0] as string);
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw wrong(`${name} is "${text}"; it takes a whole number from ${least} to ${most}`);
}

/** Whole seconds, so that the name of a company is short. Not in the future: its calls would be refused there. */
function moment(text: string | undefined, nowMs: number): number {
  const ms = text === undefined ? Math.floor(nowMs / 1000) * 1000 : Date.parse(text);
  if (text !== undefined && !/^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(text)) throw wrong(notAMoment(text));
  if (Number.isNaN(ms)) throw wrong(notAMoment(text ?? ""));
  if (ms > nowMs) throw wrong(`--until is ${text}, which is still to come`);
  return ms;
}

const notAMoment = (text: string) => `--until is "${text}"; it takes a UTC moment such as 2026-11-20T00:00Z`;
const wrong = (what: string) => new DemoError("bad_arguments", `${what}. Usage: ${SEED_USAGE}`);
