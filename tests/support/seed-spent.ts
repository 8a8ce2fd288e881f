import type { Sql } from "postgres";
import { ensurePartitions } from "#db/partitions.ts";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { createUuid7 } from "#lib/uuid7.ts";

/** A call to store with its usage. Only what a test is about needs naming. */
export interface SpentCall {
  project?: string;
  attempt?: number;
  /** Which of the calls it names as its operation. */
  attemptOf?: number;
  /** ISO time of its start. */
  at: string;
  feature?: string;
  customer?: string;
  template?: string;
  version?: string;
  /** Hash of its instructions. */
  unit?: string;
  model?: string;
  outcome?: string;
  streamed?: boolean;
  endpoint?: string;
  inputs?: string[];
  outputs?: string[];
  /** With a duration and nothing else, all of it was the upstream's. */
  durationMs?: number;
  requestEndMs?: number;
  sentMs?: number | null;
  responseEndMs?: number | null;
  firstByteMs?: number;
  firstTokenMs?: number;
  firstAudioMs?: number;
  lastTokenMs?: number;
  source?: "reported" | "estimated";
  /** Tokens of text: input without cached, cached, output. Left out: no usage is known. */
  tokens?: readonly [number, number, number];
  /** Of its output line; the others cost nothing. null: none of its lines has a price. */
  costUsd?: string | null;
}

/** Stores calls with their usage lines, and makes the rollups anew. Ids in the order given. */
export async function seedSpent(sql: Sql, calls: readonly SpentCall[]): Promise<string[]> {
  const times = calls.map(({ at }) => Date.parse(at));
  await ensurePartitions(sql, Math.min(...times), Math.max(...times));
  const makers = new Map<number, () => string>();
  const ids = times.map((ms) => {
    // A maker's ids never go down, and calls come in any order here.
    const make = makers.get(ms) ?? createUuid7(() => ms);
    makers.set(ms, make);
    return make();
  });
  const insert = (table: string, rows: unknown[]) =>
    sql.unsafe(`insert into ${table} select * from json_populate_recordset(null::${table}, $1::text::json)`, [
      JSON.stringify(rows),
    ]);
  await insert(
    "calls",
    calls.map((call, i) => callRow(call, ids[i] as string, i, ids[call.attemptOf ?? i] as string)),
  );
  await insert(
    "usage_lines",
    calls.flatMap((call, i) => lineRows(call, ids[i] as string)),
  );
  await rebuildRollups(sql, Math.min(...times), Math.max(...times) + 1);
  return ids;
}

const callRow = (call: SpentCall, id: string, i: number, operationId: string) => ({
  id,
  project_id: call.project ?? "default",
  environment: "production",
  operation_id: operationId,
  attempt: call.attempt ?? 0,
  upstream: "default",
  started_at: call.at,
  recorded_at: call.at,
  decoder_version: 1,
  spool: "a",
  run: "r",
  seq: i,
  endpoint: call.endpoint ?? "chat_completions",
  method: "POST",
  path: "/v1/chat/completions",
  streamed: call.streamed ?? false,
  request_model: call.model ?? "gpt-4o",
  model: call.model ?? "gpt-4o-2024-08-06",
  feature: call.feature ?? null,
  customer: call.customer ?? null,
  template: call.template ?? null,
  template_version: call.version ?? null,
  unit_hash: call.unit ?? null,
  tags: {},
  outcome: call.outcome ?? "completed",
  finish_reasons: [],
  input_modalities: call.inputs ?? ["text"],
  output_modalities: call.outputs ?? ["text"],
  request_end_ms: call.requestEndMs ?? null,
  sent_ms: call.sentMs === undefined ? (call.durationMs === undefined ? null : 0) : call.sentMs,
  first_byte_ms: call.firstByteMs ?? null,
  first_token_ms: call.firstTokenMs ?? null,
  first_audio_ms: call.firstAudioMs ?? null,
  last_token_ms: call.lastTokenMs ?? null,
  response_end_ms: call.responseEndMs === undefined ? (call.durationMs ?? null) : call.responseEndMs,
  duration_ms: call.durationMs ?? null,
  content_chunks: 0,
  request_bytes: 1,
  response_bytes: 1,
  cut: false,
  input_tokens: call.tokens ? call.tokens[0] + call.tokens[1] : null,
  output_tokens: call.tokens?.[2] ?? null,
  usage_source: call.tokens ? (call.source ?? "reported") : "none",
  tool_call_count: 0,
  problems: [],
});

function lineRows({ at, source = "reported", tokens, costUsd }: SpentCall, id: string) {
  const kinds = [
    { direction: "input", cache: "none" },
    { direction: "input", cache: "read" },
    { direction: "output", cache: "none" },
  ];
  return kinds.flatMap((kind, i) => {
    const quantity = tokens?.[i] ?? 0;
    if (quantity === 0) return [];
    const cost = costUsd === null ? null : kind.direction === "output" ? (costUsd ?? "0") : "0";
    return {
      call_id: id,
      adjustment: 0,
      ...kind,
      modality: "text",
      unit: "token",
      product: null,
      quantity,
      source,
      booked_on: at.slice(0, 10),
      price_id: cost === null ? null : "p",
      price_usd: cost === null ? null : "1",
      price_per: cost === null ? null : "1000000",
      cost_usd: cost,
    };
  });
}
