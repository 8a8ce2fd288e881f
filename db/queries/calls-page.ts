import { uuid7Floor } from "#db/partitions.ts";
import type { Outcome, UsageSource } from "#lib/call.ts";
import type { Modality } from "#lib/modalities.ts";
import { attributedParts, ofDays } from "./attributed-days.ts";
import { folded, inScope, matching, matchingRollup, type Reader, type Scope, servedByRollup } from "./call-filter.ts";
import { unionAll } from "./union-all.ts";

const QUARTER_MS = 900_000;
/** Later than any call: a UUIDv7 has 48 bits for its millisecond. */
const LATEST_MS = 2 ** 47;

export interface CallRow {
  id: string;
  /** The exchange that it came out of: a session, the file with a batch's answers. */
  parentId: string | null;
  startedAt: Date;
  environment: string;
  endpoint: string;
  feature: string | null;
  customer: string | null;
  template: string | null;
  templateVersion: string | null;
  requestModel: string | null;
  model: string | null;
  inputModalities: Modality[];
  outputModalities: Modality[];
  usageSource: UsageSource;
  inputTokens: number | null;
  cachedTokens: number | null;
  outputTokens: number | null;
  inputTokensLow: number | null;
  inputTokensHigh: number | null;
  outputTokensLow: number | null;
  outputTokensHigh: number | null;
  firstTokenMs: number | null;
  durationMs: number | null;
  outcome: Outcome;
  status: number | null;
  errorCode: string | null;
  toolCallCount: number;
  problems: string[];
  /** Sum of the priced lines; null: none is. */
  costUsd: string | null;
  /** Some of its usage has no price. */
  unpriced: boolean;
}

/** Older than one id, or newer than one, or neither: the newest. */
export type Cursor = { before: string } | { after: string } | null;

/** One page of calls, newest first, with one row more than `limit` where there are more in the cursor's direction. */
export async function callsOfPage(sql: Reader, scope: Scope, cursor: Cursor, limit: number): Promise<CallRow[]> {
  const newer = cursor !== null && "after" in cursor;
  const rows = await sql<CallRow[]>`
    with page as (select
      id, parent_id as "parentId", started_at as "startedAt", environment, endpoint, feature, customer,
      template, template_version as "templateVersion", request_model as "requestModel", model,
      input_modalities as "inputModalities", output_modalities as "outputModalities",
      usage_source as "usageSource", input_tokens as "inputTokens", cached_tokens as "cachedTokens",
      output_tokens as "outputTokens", input_tokens_low as "inputTokensLow", input_tokens_high as "inputTokensHigh",
      output_tokens_low as "outputTokensLow", output_tokens_high as "outputTokensHigh",
      first_token_ms as "firstTokenMs", duration_ms as "durationMs", outcome, status, error_code as "errorCode",
      tool_call_count as "toolCallCount", problems
    from calls
    where ${inScope(sql, scope)}
      ${cursor === null ? sql`` : "after" in cursor ? sql`and id > ${cursor.after}::uuid` : sql`and id < ${cursor.before}::uuid`}
    order by id ${newer ? sql`asc` : sql`desc`}
    limit ${limit + 1})
    select page.*, money.* from page
    cross join lateral (${moneyOf(sql, sql`page.id`)}) money
    order by id ${newer ? sql`asc` : sql`desc`}`;
  return newer ? rows.reverse() : rows;
}

/** One row: the money of the call with this id. */
export const moneyOf = (sql: Reader, id: ReturnType<Reader>) => sql`
  select
    trim_scale(sum(line.cost_usd))::text as "costUsd",
    coalesce(sum(line.quantity) filter (where line.cost_usd is null), 0) <> 0 as unpriced
  from usage_lines line where line.call_id = ${id}`;

/** Ids of the newest calls: what a live page compares with the rows it shows. */
export async function newestIds(sql: Reader, scope: Scope, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from calls where ${inScope(sql, scope)} order by id desc limit ${limit}`;
  return rows.map((row) => row.id);
}

/** What a stretch of time holds, by outcome. Tokens of calls without usage are in no sum. */
export interface Slot {
  /** From 1: which of the buckets between the edges. */
  slot: number;
  outcome: Outcome;
  calls: number;
  /** First attempts among them. null: some were counted before there was this figure, and are being counted again. */
  operations: number | null;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  inputTokensEstimated: number;
  outputTokensEstimated: number;
  callsWithoutUsage: number;
}

/**
 * Calls and tokens between edges (milliseconds, ascending). Whole quarters of an hour come from `rollup_calls`, whole UTC days
 * where that does not know the filter from `rollup_attributed`, the ends of the range, and everything when buckets are finer, from
 * `calls`: all count the same things, so the sum equals the rows of the list.
 */
export async function callsOverTime(sql: Reader, scope: Scope, edges: readonly number[]): Promise<Slot[]> {
  const inner = edges.slice(1, -1);
  if (servedByRollup(scope.filter) && inner.every((edge) => edge % QUARTER_MS === 0)) {
    const slots = await slotsWithRollup(sql, scope, edges);
    if (slots) return slots;
  }
  const { days, calls } = (await attributedParts(sql, scope, inner)) ?? { days: [], calls: [scope] };
  const part = unionAll(sql, [
    ...days.map((one) => daysAsSlots(sql, one, edges)),
    ...calls.map((one) => callsAsSlots(sql, one, edges)),
  ]);
  return sql<Slot[]>`
    with part as (${part})
    select ${SUMS(sql)} from part group by slot, outcome order by slot`;
}

/** null: some calls in range are folded into '(other)', so the rollup cannot tell. */
async function slotsWithRollup(sql: Reader, scope: Scope, edges: readonly number[]): Promise<Slot[] | null> {
  const { fromMs, toMs } = scope.interval;
  const wholeFromMs = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS;
  const wholeToMs = Math.floor(toMs / QUARTER_MS) * QUARTER_MS;
  if (wholeToMs <= wholeFromMs) return null;
  const head = { ...scope, interval: { fromMs, toMs: wholeFromMs } };
  const tail = { ...scope, interval: { fromMs: wholeToMs, toMs } };
  const rows = await sql<(Slot & { folded: boolean })[]>`
    with quarters as (
      -- Summed before they are put into slots: finding a slot costs more than adding.
      select
        ${stepOf(sql, scope.interval, edges.slice(1, -1))} as step, outcome, ${folded(sql, scope.filter)} as folded,
        sum(calls) as calls, case when count(*) = count(operations) then sum(operations) end as operations, sum(input_tokens) as input_tokens, sum(cached_tokens) as cached_tokens,
        sum(output_tokens) as output_tokens, sum(input_tokens_estimated) as input_tokens_estimated,
        sum(output_tokens_estimated) as output_tokens_estimated, sum(calls_without_usage) as calls_without_usage
      from rollup_calls
      where project_id = ${scope.project}
        and bucket >= ${instant(wholeFromMs)}::timestamptz and bucket < ${instant(wholeToMs)}::timestamptz
        ${matchingRollup(sql, scope.filter)}
      group by 1, 2, 3
    ),
    part as (
      select
        width_bucket(greatest(step, ${instant(fromMs)}::timestamptz), ${instants(edges)}::timestamptz[]) as slot, outcome, folded,
        calls, operations, input_tokens, cached_tokens, output_tokens, input_tokens_estimated, output_tokens_estimated,
        calls_without_usage
      from quarters
      union all ${callsAsSlots(sql, head, edges)}
      union all ${callsAsSlots(sql, tail, edges)}
    )
    select ${SUMS(sql)}, bool_or(folded) as folded from part group by slot, outcome order by slot`;
  return rows.some((row) => row.folded) ? null : rows;
}

/**
 * SQL: where the step of `bucket` begins. Steps are as long as may be: each edge is between two of them, so none is of two slots. The first
 * may begin before the range does.
 */
function stepOf(sql: Reader, { fromMs, toMs }: Scope["interval"], inner: readonly number[]) {
  const origin = inner[0] ?? fromMs;
  const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));
  const stepMs = inner.reduce((step, edge) => common(step, edge - origin), 0) || toMs - fromMs;
  return sql`date_bin(${stepMs}::bigint * interval '1 millisecond', bucket, ${instant(origin)}::timestamptz)`;
}

/** Rows of whole UTC days, in the rollup's columns. */
const daysAsSlots = (sql: Reader, scope: Scope, edges: readonly number[]) => sql`
  select
    width_bucket(day::timestamp at time zone 'UTC', ${instants(edges)}::timestamptz[]) as slot, outcome, false as folded,
    calls, operations, input_tokens, cached_tokens, output_tokens, input_tokens_estimated, output_tokens_estimated,
    calls_without_usage
  from rollup_attributed where ${ofDays(sql, scope)}`;

/** Each call as a row of one, in the rollup's columns (db/rollups.ts says what they count). */
const callsAsSlots = (sql: Reader, scope: Scope, edges: readonly number[]) => sql`
  select
    width_bucket(started_at, ${instants(edges)}::timestamptz[]) as slot, outcome, false as folded,
    1 as calls, (attempt = 0)::int as operations,
    case when usage_source = 'reported' then input_tokens end as input_tokens,
    case when usage_source = 'reported' then cached_tokens end as cached_tokens,
    case when usage_source = 'reported' then output_tokens end as output_tokens,
    case when usage_source = 'estimated' then input_tokens end as input_tokens_estimated,
    case when usage_source = 'estimated' then output_tokens end as output_tokens_estimated,
    (usage_source = 'none')::int as calls_without_usage
  from calls where ${inScope(sql, scope)}`;

const SUMS = (sql: Reader) => sql`
  slot, outcome,
  sum(calls)::bigint as calls,
  case when count(*) = count(operations) then sum(operations)::bigint end as operations,
  coalesce(sum(input_tokens), 0)::bigint as "inputTokens",
  coalesce(sum(cached_tokens), 0)::bigint as "cachedTokens",
  coalesce(sum(output_tokens), 0)::bigint as "outputTokens",
  coalesce(sum(input_tokens_estimated), 0)::bigint as "inputTokensEstimated",
  coalesce(sum(output_tokens_estimated), 0)::bigint as "outputTokensEstimated",
  sum(calls_without_usage)::bigint as "callsWithoutUsage"`;

/** About how many calls a range holds, by whole quarters: decides whether they may be counted one by one. */
export async function roughCount(sql: Reader, { project, interval }: Scope): Promise<number> {
  const [row] = await sql<{ calls: number }[]>`
    select coalesce(sum(calls), 0)::bigint as calls from rollup_calls
    where project_id = ${project}
      and bucket > ${instant(interval.fromMs - QUARTER_MS)}::timestamptz and bucket < ${instant(interval.toMs)}::timestamptz`;
  return row?.calls ?? 0;
}

/** Has this project recorded anything, ever? The rollup knows: of a project without calls nothing would be found in all of `calls`. */
export async function anyCall(sql: Reader, project: string): Promise<boolean> {
  const [row] = await sql<
    { any: boolean }[]
  >`select exists (select 1 from rollup_calls where project_id = ${project}) as any`;
  return row?.any ?? false;
}

/** When calls with this filter were seen nearest to a range that holds none: the last before it, else the first after. */
export async function nearestCallMs(sql: Reader, { project, interval, filter }: Scope): Promise<number | null> {
  if (!servedByRollup(filter)) return nearestInCalls(sql, { project, interval, filter });
  const [row] = await sql<{ at: Date | null }[]>`
    select coalesce(
      (select bucket from rollup_calls
        where project_id = ${project} and bucket < ${instant(interval.toMs)}::timestamptz ${matchingRollup(sql, filter)}
        order by bucket desc limit 1),
      (select bucket from rollup_calls
        where project_id = ${project} and bucket >= ${instant(interval.toMs)}::timestamptz ${matchingRollup(sql, filter)}
        order by bucket limit 1)
    ) as at`;
  return row?.at?.getTime() ?? null;
}

async function nearestInCalls(sql: Reader, { project, interval, filter }: Scope): Promise<number | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    select coalesce(
      (select started_at from calls
        where project_id = ${project} and id < ${uuid7Floor(interval.fromMs)}::uuid
          ${matching(sql, filter, { fromMs: 0, toMs: interval.fromMs })}
        order by id desc limit 1),
      (select started_at from calls
        where project_id = ${project} and id >= ${uuid7Floor(interval.toMs)}::uuid
          ${matching(sql, filter, { fromMs: interval.toMs, toMs: LATEST_MS })}
        order by id limit 1)
    ) as at`;
  return row?.at?.getTime() ?? null;
}

/**
 * The call that a pasted id means: its own id, the response's id, or a request id of either side. Only the first two
 * are indexed for all time; the others are looked for since a moment.
 */
export async function findCall(
  sql: Reader,
  project: string,
  upstreams: readonly string[],
  text: string,
  sinceMs: number,
): Promise<string | null> {
  if (/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)) {
    const [call] = await sql<{ id: string }[]>`
      select id from calls where project_id = ${project} and id = ${text.toLowerCase()}::uuid`;
    if (call) return call.id;
  }
  const [object] = await sql<{ id: string }[]>`
    select call_id as id from provider_objects
    where project_id = ${project} and upstream in ${sql([...upstreams])} and object_id = ${text} limit 1`;
  if (object) return object.id;
  const [call] = await sql<{ id: string }[]>`
    select id from calls
    where project_id = ${project} and id >= ${uuid7Floor(sinceMs)}::uuid
      and ${text} in (response_id, upstream_request_id, client_request_id, trace_id)
    order by id desc limit 1`;
  return call?.id ?? null;
}

const instant = (ms: number) => new Date(ms).toISOString();
const instants = (edges: readonly number[]) => edges.map(instant);
