import type { Sql } from "postgres";
import type { Call } from "#lib/call.ts";
import { insertColumns } from "./insert-columns.ts";

/** Something of the provider's, by the id that it goes by there. */
export interface ObjectName {
  projectId: string;
  upstream: string;
  objectId: string;
}

/** Equal for equal names. */
export const keyOf = ({ projectId, upstream, objectId }: ObjectName): string =>
  JSON.stringify([projectId, upstream, objectId]);

/** A name among those of the call's upstream. */
export const nameFrom = ({ projectId, upstream }: Call, objectId: string): ObjectName => ({
  projectId,
  upstream,
  objectId,
});

/**
 * What a call made: its answer, a batch, a file, a session. Whoever only asks for something owns nothing, but may say that a thing belongs to
 * another one (`inherits`): a look at a batch tells which file has its answers.
 */
export function objectsOf(call: Call): ObjectName[] {
  if (call.reread) return [];
  const makes = call.parentId !== null || call.method === "POST";
  return [
    ...(makes && call.responseId !== null ? [call.responseId] : []),
    ...(makes || call.inherits !== null ? call.objectIds : []),
  ].map((objectId) => nameFrom(call, objectId));
}

/** Which call each of these belongs to, by `keyOf`; what nobody is known to have made is not among them. */
export async function ownersOf(sql: Sql, names: readonly ObjectName[]): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  const rows = await sql<(ObjectName & { callId: string })[]>`
    select o.project_id as "projectId", o.upstream, o.object_id as "objectId", o.call_id as "callId"
    from unnest(
      ${names.map(({ projectId }) => projectId)}::text[], ${names.map(({ upstream }) => upstream)}::text[],
      ${names.map(({ objectId }) => objectId)}::text[]
    ) as named (project_id, upstream, object_id)
    join provider_objects o using (project_id, upstream, object_id)`;
  return new Map(rows.map((row) => [keyOf(row), row.callId]));
}

/** SQL that says whose these are; who was there first stays the owner. */
export function insertObjects(objects: readonly (ObjectName & { callId: string })[]): string[] {
  if (objects.length === 0) return [];
  const rows = objects
    .map((one) => ({
      project_id: one.projectId,
      upstream: one.upstream,
      object_id: one.objectId,
      call_id: one.callId,
    }))
    // In one order, as everybody does who writes here: two that meet in opposite orders would wait for each other.
    .sort((a, b) => (a.object_id < b.object_id ? -1 : a.object_id > b.object_id ? 1 : 0));
  return [`${insertColumns("provider_objects", rows)} on conflict do nothing`];
}
