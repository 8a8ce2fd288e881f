import { uuid7Floor } from "#db/partitions.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import type { Reader } from "./call-filter.ts";
import type { CallFacts } from "./call-page.ts";

const WEEK_MS = 7 * 86_400_000;

/** How far is looked back among some calls (`lookedAmong`), and how many comparable ones are taken: the newest. */
export const COMPARABLE_LIMITS = { looked: 10_000, taken: 2_000 } as const;

/** What the call page compares of two calls: when things happened, and how large they were. */
export type Timed = Pick<
  CallFacts,
  | "streamed"
  | "requestEndMs"
  | "sentMs"
  | "connectMs"
  | "firstByteMs"
  | "firstTokenMs"
  | "firstTextMs"
  | "firstAudioMs"
  | "lastTokenMs"
  | "responseEndMs"
  | "durationMs"
  | "longestGapMs"
  | "stalls"
  | "contentChunks"
  | "requestBytes"
  | "usageSource"
  | "outputTokens"
>;

export interface Comparable {
  /** What they have in common beside model, endpoint and streaming: the narrowest that is known of the call. */
  by: "template" | "instructions" | "feature";
  calls: Timed[];
}

/**
 * Whose newest calls are looked through. A model that was asked for has no index and may be rare, as a misspelt one is: all calls
 * are, or a week of them would be read.
 */
export function lookedAmong(call: Pick<Known, "template" | "unitHash" | "model" | "requestModel">) {
  if (call.template === null && call.unitHash === null) return "feature";
  return call.model === null && call.requestModel !== null ? "project" : "model";
}

type Known = Pick<
  CallFacts,
  "id" | "template" | "unitHash" | "feature" | "model" | "requestModel" | "endpoint" | "streamed"
>;

/**
 * Completed calls of the seven days before this one that did the same: same template (else instructions, else feature),
 * model, endpoint and way of answering. null: nothing is known that would make another call comparable. Templates have no
 * index: newest calls are looked through, which `COMPARABLE_LIMITS` bounds; older ones are left out.
 */
export async function comparableCalls(
  sql: Reader,
  project: string,
  call: Known,
  { looked, taken }: { looked: number; taken: number } = COMPARABLE_LIMITS,
): Promise<Comparable | null> {
  const by = call.template !== null ? "template" : call.unitHash !== null ? "instructions" : "feature";
  if (by === "feature" && call.feature === null) return null;
  const among = lookedAmong(call);
  const calls = await sql<Timed[]>`
    with looked as (
      select * from calls
      where project_id = ${project}
        and id >= ${uuid7Floor(uuid7Ms(call.id) - WEEK_MS)}::uuid and id < ${call.id}::uuid
        ${among === "feature" ? sql`and feature = ${call.feature}` : among === "model" ? sql`and ${ofModel(sql, call)}` : sql``}
      order by id desc limit ${looked}
    )
    select
      streamed, request_end_ms as "requestEndMs", sent_ms as "sentMs", connect_ms as "connectMs",
      first_byte_ms as "firstByteMs", first_token_ms as "firstTokenMs",
      first_text_ms as "firstTextMs", first_audio_ms as "firstAudioMs",
      last_token_ms as "lastTokenMs", response_end_ms as "responseEndMs", duration_ms as "durationMs",
      longest_gap_ms as "longestGapMs", stalls, content_chunks as "contentChunks", request_bytes as "requestBytes",
      usage_source as "usageSource", output_tokens as "outputTokens"
    from looked
    where outcome = 'completed' and endpoint = ${call.endpoint} and streamed = ${call.streamed}
      and ${ofModel(sql, call)}
      ${by === "template" ? sql`and template = ${call.template}` : sql``}
      ${by === "instructions" ? sql`and unit_hash = ${call.unitHash}` : sql``}
    order by id desc limit ${taken}`;
  return { by, calls };
}

/** The model that answered; of a call that got no answer, the one that was asked for. */
function ofModel(sql: Reader, { model, requestModel }: Known) {
  if (model !== null) return sql`model = ${model}`;
  return requestModel === null ? sql`model is null` : sql`request_model = ${requestModel}`;
}
