import type { Sql } from "postgres";
import type { Call, Usage } from "#lib/call.ts";
import { PLAN_AGAIN } from "./plan-again.ts";
import { insertObjects, keyOf, nameFrom, type ObjectName, ownersOf } from "./provider-objects.ts";
import { quoted } from "./rows.ts";

/** The usage of a provider object, and the exchange that brought it first. */
export type UsageClaim = ObjectName & { callId: string };

/**
 * Some usage is told more than once: by a batch and by the lines of its answers, and by both whenever they are asked for. What counts for
 * one object is counted by the exchange that brings it first, stored or among these; from others it is taken away, with a mark.
 */
export async function countOnce(sql: Sql, calls: readonly Call[]): Promise<{ calls: Call[]; claims: UsageClaim[] }> {
  const names = calls.flatMap((call) => (bringsUsage(call) ? [usageOf(call, call.countsFor)] : []));
  if (names.length === 0) return { calls: [...calls], claims: [] };
  const holders = await ownersOf(sql, names);
  const claims = new Map<string, UsageClaim>();
  const counted = calls.map((call) => {
    if (!bringsUsage(call)) return call;
    const name = usageOf(call, call.countsFor);
    const bringer = call.parentId ?? call.id;
    const holder = holders.get(keyOf(name)) ?? claims.get(keyOf(name))?.callId;
    if (holder === undefined) claims.set(keyOf(name), { ...name, callId: bringer });
    return holder === undefined || holder === bringer ? call : withoutUsage(call);
  });
  return { calls: counted, claims: [...claims.values()] };
}

/** SQL that makes the claims. Fails with PLAN_AGAIN where somebody else was first since they were planned. */
export function claimUsage(claims: readonly UsageClaim[]): string[] {
  if (claims.length === 0) return [];
  const rows = claims.map(
    ({ projectId, upstream, objectId, callId }) =>
      `(${[projectId, upstream, objectId].map(quoted).join(", ")}, ${quoted(callId)}::uuid)`,
  );
  return [
    ...insertObjects(claims),
    `do $claims$ begin
      if exists (
        select from (values ${rows.join(", ")}) as claimed (project_id, upstream, object_id, call_id)
        join provider_objects o using (project_id, upstream, object_id) where o.call_id <> claimed.call_id
      ) then
        raise exception 'somebody else brought a usage first' using errcode = '${PLAN_AGAIN}';
      end if;
    end $claims$`,
  ];
}

/** What a call claims where nobody was before it; null: it brings no usage that others tell of. */
export const claimOf = (call: Call): UsageClaim | null =>
  bringsUsage(call) ? { ...usageOf(call, call.countsFor), callId: call.parentId ?? call.id } : null;

type Bringing = Call & { countsFor: string };

const bringsUsage = (call: Call): call is Bringing =>
  call.countsFor !== null && (call.usage.source !== "none" || call.lines.length > 0);

/** No id of the provider's has a colon. */
const usageOf = (call: Call, objectId: string): ObjectName => nameFrom(call, `usage:${objectId}`);

const withoutUsage = (call: Call): Call => ({
  ...call,
  // All else that a usage has may be null.
  usage: {
    ...(Object.fromEntries(Object.keys(call.usage).map((name) => [name, null])) as unknown as Usage),
    source: "none",
  },
  lines: [],
  problems: [...call.problems, "usage_of_another_call"],
});
