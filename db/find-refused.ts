import { codeOf, isDataError, type Plan, writePlanned } from "./plan-calls.ts";
import { barely, type SessionPlan, writeSessions } from "./record-sessions.ts";
import type { RecordedCall } from "./stored-calls.ts";

/** Runs statements behind the guard of the batch, as it is for this plan, in one message. @throws the database's error */
export type RunGuarded = (plan: Plan, statements: string[]) => Promise<void>;

export interface Storable {
  plan: Plan;
  sessions: SessionPlan;
  refused: { one: RecordedCall; error: Error }[];
}

const ONLY_TRIED = "OMTRY";

/** The slow way, when the database refused something of a batch: parts are tried, in messages that end in an error of their own. */
export async function findRefused(run: RunGuarded, plan: Plan, sessions: SessionPlan): Promise<Storable> {
  const nothing = { ...plan, fresh: [], stale: [], restated: [] };
  // What a re-read stated and cannot be stored stays uncounted, as the mark on the re-read says.
  const restates = await tryOut(run, plan, writePlanned({ ...nothing, restated: plan.restated }));
  const without = restates ? { ...plan, restated: [] } : plan;
  return {
    plan: without,
    sessions: await storableSessions(run, nothing, sessions),
    refused: await refusedCalls(run, { ...without, restated: [] }),
  };
}

/** Calls are halved until those at fault are found. */
async function refusedCalls(run: RunGuarded, plan: Plan): Promise<Storable["refused"]> {
  const ids = new Set(plan.fresh.map(({ call }) => call.id));
  const alone = { ...plan, stale: plan.stale.filter((id) => ids.has(id)) };
  const error = await tryOut(run, plan, writePlanned(alone));
  if (!error) return [];
  const [one] = plan.fresh;
  if (!one) return [];
  if (plan.fresh.length === 1) return [{ one, error }];
  const half = plan.fresh.length >> 1;
  const refused: Storable["refused"] = [];
  for (const fresh of [plan.fresh.slice(0, half), plan.fresh.slice(half)])
    refused.push(...(await refusedCalls(run, { ...plan, fresh })));
  return refused;
}

/** A session that is refused is kept as far as it can be; one of which nothing can be is counted. */
async function storableSessions(run: RunGuarded, plan: Plan, sessions: SessionPlan): Promise<SessionPlan> {
  if (!(await tryOut(run, plan, writeSessions(sessions.stored)))) return sessions;
  const stored: SessionPlan["stored"] = [];
  const refused = [...sessions.refused];
  for (const one of sessions.stored) {
    const form = await firstStorable(run, plan, [one, barely(one)]);
    if (form) stored.push(form);
    else refused.push(one);
  }
  return { ...sessions, stored, refused };
}

async function firstStorable(run: RunGuarded, plan: Plan, forms: SessionPlan["stored"]) {
  for (const form of forms) if (!(await tryOut(run, plan, writeSessions([form])))) return form;
  return null;
}

/** What the database has against these statements; null: nothing. */
async function tryOut(run: RunGuarded, plan: Plan, statements: string[]): Promise<Error | null> {
  if (statements.length === 0) return null;
  const undo = `do $undo$ begin raise exception 'only tried' using errcode = '${ONLY_TRIED}'; end $undo$`;
  try {
    await run(plan, [...statements, undo]);
  } catch (error) {
    if (codeOf(error) === ONLY_TRIED) return null;
    if (isDataError(error)) return error as Error;
    throw error;
  }
  return null;
}
