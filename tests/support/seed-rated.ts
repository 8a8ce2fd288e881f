import type { Sql } from "postgres";
import { ensurePartitions } from "#db/partitions.ts";
import { rateCalls } from "#db/rate-calls.ts";
import { createUuid7 } from "#lib/uuid7.ts";

/** A call to store, and what was said about it. Only what a test is about needs naming. */
export interface RatedCall {
  /** ISO time of its start. */
  at: string;
  /** One letter per rater, in this order: u(p), d(own), n (withdrawn). */
  ratings?: string;
  comment?: string;
  correction?: string;
  feature?: string;
  template?: string;
  version?: string;
  customer?: string;
  session?: string;
  requestModel?: string;
  model?: string;
  outcome?: string;
  endpoint?: string;
  durationMs?: number;
  /** One line with this cost; null: one without a price; undefined: no line. */
  costUsd?: string | null;
}

const RATING = { u: "up", d: "down", n: null } as const;

/** Stores calls with their feedback, already matched and rated. Ids in the order given. */
export async function seedRated(sql: Sql, calls: readonly RatedCall[]): Promise<string[]> {
  let clock = 0;
  const nextIds = new Map<number, () => string>();
  const ids = calls.map(({ at }) => {
    clock = Date.parse(at);
    // A maker's ids never go down, and calls come in any order here.
    const next = nextIds.get(clock) ?? createUuid7(() => clock);
    nextIds.set(clock, next);
    return next();
  });
  const times = calls.map(({ at }) => Date.parse(at));
  await ensurePartitions(sql, Math.min(...times), Math.max(...times));
  const json = (rows: unknown[]) => JSON.stringify(rows);
  await sql`insert into calls select * from json_populate_recordset(null::calls, ${json(
    calls.map((call, i) => callRow(call, ids[i] as string, i)),
  )}::text::json)`;
  const lines = calls.flatMap(({ costUsd, at }, i) => (costUsd === undefined ? [] : [lineRow(ids[i], at, costUsd)]));
  await sql`insert into usage_lines select * from json_populate_recordset(null::usage_lines, ${json(lines)}::text::json)`;
  const words = calls.flatMap((call, i) => wordRows(call, ids[i] as string));
  await sql`insert into feedback select * from json_populate_recordset(null::feedback, ${json(words)}::text::json)`;
  await rateAll(sql);
  return ids;
}

/** For words that a test has put into `feedback` by itself. */
export const rateAll = (sql: Sql) => sql.unsafe(rateCalls(() => "true").join(";\n"));

const callRow = (call: RatedCall, id: string, i: number) => ({
  id,
  project_id: "default",
  environment: "production",
  operation_id: id,
  attempt: 0,
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
  streamed: false,
  request_model: call.requestModel ?? null,
  model: call.model ?? null,
  feature: call.feature ?? null,
  template: call.template ?? null,
  template_version: call.version ?? null,
  customer: call.customer ?? null,
  session: call.session ?? null,
  tags: {},
  outcome: call.outcome ?? "completed",
  finish_reasons: [],
  input_modalities: ["text"],
  output_modalities: ["text"],
  duration_ms: call.durationMs ?? null,
  content_chunks: 0,
  request_bytes: 1,
  response_bytes: 1,
  cut: false,
  usage_source: call.costUsd === undefined ? "none" : "reported",
  output_tokens: call.costUsd === undefined ? null : 10,
  tool_call_count: 0,
  problems: [],
});

const lineRow = (id: string | undefined, at: string, costUsd: string | null) => ({
  call_id: id,
  adjustment: 0,
  direction: "output",
  modality: "text",
  cache: "none",
  unit: "token",
  product: null,
  quantity: 10,
  source: "reported",
  booked_on: at.slice(0, 10),
  price_id: costUsd === null ? null : "p",
  price_usd: costUsd === null ? null : "1",
  price_per: costUsd === null ? null : "1000000",
  cost_usd: costUsd,
});

function wordRows({ at, ratings = "", comment, correction }: RatedCall, id: string) {
  const letters = ratings || comment || correction ? ratings.padEnd(1, "n") : "";
  return [...letters].map((letter, i) =>
    wordRow({
      target_id: id,
      rater: `rater ${i}`,
      received_at: at,
      rating: RATING[letter as keyof typeof RATING],
      comment: i === 0 ? (comment ?? null) : null,
      correction: i === 0 ? (correction ?? null) : null,
      call_id: id,
      matched_at: at,
    }),
  );
}

/** A row of `feedback`, about a call unless it says otherwise. */
export const wordRow = (values: Record<string, unknown> & { received_at: string }) => ({
  id: createUuid7(() => Date.parse(values.received_at))(),
  project_id: "default",
  target_kind: "call",
  item: null,
  rater: "",
  rating: null,
  score: null,
  comment: null,
  correction: null,
  labels: [],
  call_id: null,
  matched_at: null,
  ...values,
});
