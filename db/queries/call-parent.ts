import type { Reader } from "./call-filter.ts";

/** The exchange that a call came out of. */
export interface CallParent {
  id: string;
  /** `session`: a socket that holds many calls. `call`: for example the file with a batch's answers. */
  kind: "session" | "call";
}

/** null: it came out of none, or that is not stored (any more). */
export async function parentOf(sql: Reader, project: string, parentId: string | null): Promise<CallParent | null> {
  if (parentId === null) return null;
  const [row] = await sql<CallParent[]>`
    select id, 'session' as kind from sessions where project_id = ${project} and id = ${parentId}::uuid
    union all
    select id, 'call' as kind from calls where project_id = ${project} and id = ${parentId}::uuid
    limit 1`;
  return row ?? null;
}
