import type { Sql } from "postgres";
import type { Call, PricedLine, Usage } from "#lib/call.ts";
import { derivedId } from "#lib/derived-id.ts";
import { PLAN_AGAIN } from "./plan-again.ts";
import { insertObjects, keyOf, nameFrom, type ObjectName, objectsOf, ownersOf } from "./provider-objects.ts";
import { quoted } from "./rows.ts";

/** The usage of a provider object, and who brought it first. */
export type UsageClaim = ObjectName & { callId: string };

/**
 * Some usage is told more than once: by a batch and by the lines of its answers, and by both whenever they are asked for. What counts for
 * one object is counted by the exchange that brings it first, stored or among these; from others it is taken away, with a mark.
 */
export async function countOnce(sql: Sql, calls: readonly Call[]): Promise<{ calls: Call[]; claims: UsageClaim[] }> {
  const names = calls.flatMap((call) => (bringsUsage(call) ? [usageOf(call, call.countsFor)] : []));
  if (names.length === 0) return { calls: [...calls], claims: [] };
  const [holders, uploads] = [await ownersOf(sql, names), await uploadsAmong(sql, calls)];
  const claims = new Map<string, UsageClaim>();
  const counted = calls.map((call) => {
    if (!bringsUsage(call)) return call;
    const name = usageOf(call, call.countsFor);
    const bringer = bringerOf(call);
    const holder = holders.get(keyOf(name)) ?? claims.get(keyOf(name))?.callId;
    if (uploads.has(keyOf(nameFrom(call, call.countsFor)))) return withoutUsage(call, []);
    if (holder === undefined) claims.set(keyOf(name), { ...name, callId: bringer });
    if (holder === undefined || holder === bringer) return call;
    // What OpenAI's own tools cost is told by the answers alone, whoever told of their tokens.
    return withoutUsage(call, isAlikeForAll(call) ? call.lines.filter(({ direction }) => direction === "tool") : []);
  });
  return { calls: counted, claims: [...claims.values()] };
}

/** Files that somebody had made and sent: answers in one are a copy, however much it looks like what a batch gave out. */
async function uploadsAmong(sql: Sql, calls: readonly Call[]): Promise<ReadonlySet<string>> {
  const files = calls.flatMap((call) =>
    bringsUsage(call) && isOfObject(call) ? [nameFrom(call, call.countsFor)] : [],
  );
  const owners = await ownersOf(sql, files);
  const ids = [...new Set(owners.values())];
  const rows = ids.length
    ? await sql<{ id: string }[]>`select id from calls where id = any(${ids}::uuid[]) and endpoint = any(${UPLOADS})`
    : [];
  const uploaders = new Set(rows.map(({ id }) => id));
  return new Set([
    ...[...owners].flatMap(([key, owner]) => (uploaders.has(owner) ? [key] : [])),
    ...calls.flatMap((call) => (UPLOADS.includes(call.endpoint) ? objectsOf(call).map(keyOf) : [])),
  ]);
}

const UPLOADS = ["files", "uploads"];

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
  bringsUsage(call) ? { ...usageOf(call, call.countsFor), callId: bringerOf(call) } : null;

/**
 * Its exchange. What came out of an object and counts for that same object is the same call, under the same id, whoever reads it: there the object
 * brings it, so that a file that was fetched in part is counted whole once somebody has all of it.
 */
const bringerOf = (call: Bringing): string =>
  isOfObject(call) && !call.problems.includes("moment_unknown")
    ? derivedId(0, "usage", call.countsFor)
    : (call.parentId ?? call.id);

const isAlikeForAll = (call: Bringing): boolean => isOfObject(call) && !call.problems.includes("moment_unknown");

const isOfObject = (call: Bringing): boolean => call.parentId !== null && call.countsFor === call.inherits;

type Bringing = Call & { countsFor: string };

const bringsUsage = (call: Call): call is Bringing =>
  call.countsFor !== null && (call.usage.source !== "none" || call.lines.length > 0);

/** No id of the provider's has a colon. */
const usageOf = (call: Call, objectId: string): ObjectName => nameFrom(call, `usage:${objectId}`);

const withoutUsage = (call: Call, lines: PricedLine[]): Call => ({
  ...call,
  // All else that a usage has may be null.
  usage: {
    ...(Object.fromEntries(Object.keys(call.usage).map((name) => [name, null])) as unknown as Usage),
    source: "none",
  },
  lines,
  problems: [...call.problems, "usage_of_another_call"],
});
