import { uuid7Floor } from "#db/partitions.ts";
import type { calls } from "#db/schema.ts";
import type { Outcome } from "#lib/call.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import type { Reader } from "./call-filter.ts";
import { moneyOf } from "./calls-page.ts";

/** Why calls belong together, the surest first. */
export const RELATIONS = ["socket", "response", "conversation", "session", "cache_key"] as const;
/**
 * `socket`: came out of the same one, or the same file. `response`: one continues the other's answer. `conversation`: the provider's.
 * `session`: as the application names it. `cache_key`: the same prompt cache key, which may be many users' at once.
 */
export type Relation = (typeof RELATIONS)[number];

export interface RelatedCall {
  id: string;
  /** Never empty. */
  why: Relation[];
  startedAt: Date;
  endpoint: string;
  model: string | null;
  outcome: Outcome;
  durationMs: number | null;
  costUsd: string | null;
  unpriced: boolean;
}

/** What is asked of the call whose relatives are wanted. */
type Asked = Pick<
  typeof calls.$inferSelect,
  | "id"
  | "projectId"
  | "upstream"
  | "parentId"
  | "responseId"
  | "previousResponseId"
  | "conversationId"
  | "session"
  | "promptCacheKey"
>;

export const RELATED_MAX = 200;
/** A conversation is looked for so far on both sides. */
const AROUND_MS = 7 * 86_400_000;
/** How many answers are followed, each continuing the one before. */
const STEPS_MAX = 20;

/** The other calls of the same conversation, in the order in which they began; of more than `RELATED_MAX` those that began nearest. */
export async function relatedCalls(sql: Reader, call: Asked): Promise<RelatedCall[]> {
  const around = await relativesOf(sql, call);
  const chain = await chainOf(sql, call);
  const why = new Map<string, Set<Relation>>();
  for (const { id, relation } of [...around, ...chain.map((id) => ({ id, relation: "response" as const }))])
    if (id !== call.id) why.set(id, (why.get(id) ?? new Set()).add(relation));
  const distance = (id: string) => Math.abs(uuid7Ms(id) - uuid7Ms(call.id));
  const nearest = [...why.keys()].sort((a, b) => distance(a) - distance(b)).slice(0, RELATED_MAX);
  if (nearest.length === 0) return [];
  const rows = await sql<Omit<RelatedCall, "why">[]>`
    select
      id, started_at as "startedAt", endpoint, coalesce(model, request_model) as model, outcome, duration_ms as "durationMs", money.*
    from calls cross join lateral (${moneyOf(sql, sql`calls.id`)}) money
    where id = any(${nearest}::uuid[]) and project_id = ${call.projectId}
    order by id`;
  return rows.map((row) => ({ ...row, why: RELATIONS.filter((relation) => why.get(row.id)?.has(relation)) }));
}

/** By what they have in common: of each kind the nearest on both sides. */
async function relativesOf(sql: Reader, call: Asked): Promise<{ id: string; relation: Relation }[]> {
  const atMs = uuid7Ms(call.id);
  const shared: [Relation, string, string | null][] = [
    ["socket", "parent_id", call.parentId],
    ["conversation", "conversation_id", call.conversationId],
    ["session", "session", call.session],
    ["cache_key", "prompt_cache_key", call.promptCacheKey],
  ];
  const parts = shared.flatMap(([relation, column, value]) => {
    if (value === null) return [];
    const same = sql`project_id = ${call.projectId} and ${sql(column)} = ${value}`;
    return [
      sql`(
        select id, ${relation}::text as relation from calls
        where ${same} and id < ${call.id}::uuid and id >= ${uuid7Floor(atMs - AROUND_MS)}::uuid
        order by id desc limit ${RELATED_MAX}
      )`,
      sql`(
        select id, ${relation}::text as relation from calls
        where ${same} and id > ${call.id}::uuid and id < ${uuid7Floor(atMs + AROUND_MS)}::uuid
        order by id limit ${RELATED_MAX}
      )`,
    ];
  });
  if (parts.length === 0) return [];
  return sql`${parts.reduce((before, part) => sql`${before} union all ${part}`)}`;
}

/** Ids of the calls whose answers this one continues, and of those that continue its own, step by step. */
async function chainOf(sql: Reader, call: Asked): Promise<string[]> {
  const found: string[] = [];
  let previous = call.previousResponseId;
  for (let step = 0; step < STEPS_MAX && previous !== null; step++) {
    const before = await generatorOf(sql, call, previous);
    if (!before || found.includes(before.id)) break;
    found.push(before.id);
    previous = before.previousResponseId;
  }
  const atMs = uuid7Ms(call.id);
  let answers = call.responseId === null ? [] : [call.responseId];
  for (let step = 0; step < STEPS_MAX && answers.length > 0 && found.length < RELATED_MAX; step++) {
    const next = await sql<{ id: string; responseId: string | null }[]>`
      select id, response_id as "responseId" from calls
      where project_id = ${call.projectId} and upstream = ${call.upstream} and previous_response_id = any(${answers}::text[])
        and id > ${call.id}::uuid and id < ${uuid7Floor(atMs + AROUND_MS)}::uuid
      order by id limit ${RELATED_MAX}`;
    const fresh = next.filter(({ id }) => !found.includes(id));
    found.push(...fresh.map(({ id }) => id));
    answers = fresh.flatMap(({ responseId }) => responseId ?? []);
  }
  return found;
}

/** Two statements: an answer's owner is looked up on the coordinator, its call where calls are. */
async function generatorOf(sql: Reader, { projectId, upstream }: Asked, responseId: string) {
  const [owner] = await sql<{ id: string }[]>`
    select call_id as id from provider_objects
    where project_id = ${projectId} and upstream = ${upstream} and object_id = ${responseId}`;
  if (!owner) return null;
  const [row] = await sql<{ id: string; previousResponseId: string | null }[]>`
    select id, previous_response_id as "previousResponseId" from calls where id = ${owner.id}::uuid`;
  return row ?? null;
}
