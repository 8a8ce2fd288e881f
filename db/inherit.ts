import type { Sql } from "postgres";
import { type Call, DEFAULT_ENVIRONMENT } from "#lib/call.ts";
import { keyOf, nameFrom, objectsOf, ownersOf } from "./provider-objects.ts";

/** Whom a call was for. */
type Submitter = Pick<
  Call,
  | "id"
  | "operationId"
  | "environment"
  | "feature"
  | "customer"
  | "endUser"
  | "session"
  | "template"
  | "templateVersion"
  | "release"
  | "tags"
  | "problems"
>;

const UNKNOWN = "submitter_unknown";

/**
 * Answers that are fetched later, from a batch or in the background, are for whom the work was submitted: what such a call does not say
 * of itself it takes from the call that made what it `inherits` from, stored or among these. Where that is not known, it says so, and is
 * for whoever came for it.
 */
export async function inherit(sql: Sql, calls: readonly Call[]): Promise<Call[]> {
  const heirs = calls.flatMap((call) => (call.inherits === null ? [] : [nameFrom(call, call.inherits)]));
  if (heirs.length === 0) return [...calls];
  const owners = await ownersOf(sql, heirs);
  const parents = calls.flatMap(({ inherits, parentId }) => (inherits === null ? [] : (parentId ?? [])));
  const stored = await submittersOf(sql, [...new Set([...owners.values(), ...parents])]);
  const byId = new Map(calls.map((call) => [call.id, call]));
  const here = new Map<string, Call>();
  for (const call of calls) for (const name of objectsOf(call)) here.set(keyOf(name), here.get(keyOf(name)) ?? call);
  return calls.map((call) => settled(call, new Set()));

  /** `heirsBefore`: those who ask, lest they ask each other in a circle. */
  function settled(call: Call, heirsBefore: ReadonlySet<string>): Call {
    if (call.inherits === null) return call;
    const key = keyOf(nameFrom(call, call.inherits));
    const known = stored.get(owners.get(key) ?? "");
    const beside = here.get(key);
    const path = new Set(heirsBefore).add(call.id);
    const submitter = known ?? (beside && !path.has(beside.id) ? settled(beside, path) : undefined);
    if (!submitter || submitter.id === call.id) {
      const parent = byId.get(call.parentId ?? "") ?? stored.get(call.parentId ?? "");
      return marked(parent ? takeFrom(call, parent) : call);
    }
    const heir = takeFrom(call, submitter);
    // It may itself only have looked at what somebody else had submitted.
    return submitter.problems.includes(UNKNOWN) ? marked(heir) : heir;
  }
}

const marked = (call: Call): Call => ({ ...call, problems: [...call.problems, UNKNOWN] });

const takeFrom = (call: Call, of: Submitter): Call => ({
  ...call,
  // An operation that nobody named is the call itself.
  operationId: call.operationId === call.id && of.operationId !== of.id ? of.operationId : call.operationId,
  environment: call.environment === DEFAULT_ENVIRONMENT ? of.environment : call.environment,
  feature: call.feature ?? of.feature,
  customer: call.customer ?? of.customer,
  endUser: call.endUser ?? of.endUser,
  session: call.session ?? of.session,
  // A version belongs to its template.
  ...(call.template === null && { template: of.template, templateVersion: of.templateVersion }),
  release: call.release ?? of.release,
  tags: { ...of.tags, ...call.tags },
});

async function submittersOf(sql: Sql, ids: readonly string[]): Promise<Map<string, Submitter>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<Submitter[]>`
    select
      id, operation_id as "operationId", environment, feature, customer, end_user as "endUser", session, template,
      template_version as "templateVersion", release, tags, problems
    from calls where id = any(${[...ids]}::uuid[])`;
  return new Map(rows.map((row) => [row.id, row]));
}
