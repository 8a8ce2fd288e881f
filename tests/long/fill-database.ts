import type { Sql } from "postgres";

const DAYS = 30;
/** Rows of one statement. */
const PIECE = 100_000;

/**
 * Fills a database of the earlier version with calls of the last 30 days, two lines each and a word of feedback on every sixteenth. Made by the
 * database itself, so that millions take minutes; rollups are the caller's. Partitions must be there. Returns the range.
 */
export async function fillDatabase(sql: Sql, calls: number, say: (line: string) => void) {
  const toMs = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  const fromMs = toMs - DAYS * 86_400_000;
  const stepMs = (toMs - fromMs) / calls;
  for (let first = 0; first < calls; first += PIECE) {
    const last = Math.min(first + PIECE, calls) - 1;
    await sql.unsafe(`
      create temporary table made on commit drop as
        select n, to_timestamp(floor(${fromMs} + n::float8 * ${stepMs}) / 1000.0) as at,
          (left(uuid7_floor(to_timestamp(floor(${fromMs} + n::float8 * ${stepMs}) / 1000.0))::text, 14)
            || '7' || lpad(to_hex(n % 4096), 3, '0') || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id
        from generate_series(${first}, ${last}) n;
      insert into calls (${Object.keys(CALL).join(", ")}) select ${Object.values(CALL).join(", ")} from made;
      insert into usage_lines (
        call_id, adjustment, direction, modality, cache, unit, quantity, source, booked_on, price_id, price_usd, price_per, cost_usd
      )
      select id, 0, direction, 'text', 'none', 'token', 100 + n % 900, 'reported', (at at time zone 'UTC')::date,
        'p', 2.5, 1000000, 0.0000025 * (100 + n % 900)
      from made cross join (values ('input'), ('output')) as both_ways (direction);
      insert into feedback (id, project_id, target_kind, target_id, rater, received_at, rating, labels, call_id, matched_at)
      select id, 'default', 'call', id::text, 'r' || n % 1000, at, case when n % 3 = 0 then 'down' else 'up' end, '{}', id, at
      from made where n % 16 = 0`);
    if (first % (PIECE * 10) === 0) say(`${last + 1} of ${calls} calls made`);
  }
  await sql`analyze`;
  return { fromMs, toMs };
}

/** Columns of a call, each with what it is. */
const CALL = {
  id: "id",
  project_id: "'default'",
  environment: "case when n % 10 = 0 then 'staging' else 'production' end",
  operation_id: "id",
  attempt: "0",
  upstream: "'default'",
  started_at: "at",
  decoder_version: "1",
  spool: "'filled'",
  run: "'filled'",
  seq: "n",
  endpoint: "'chat_completions'",
  method: "'POST'",
  path: "'/v1/chat/completions'",
  streamed: "n % 2 = 0",
  request_model: "'gpt-4o'",
  model: "'gpt-4o-2024-08-06'",
  feature: "'feature-' || n % 40",
  customer: "'customer-' || n % 40",
  tags: "'{}'",
  outcome: "case when n % 50 = 0 then 'failed' else 'completed' end",
  finish_reasons: "'{stop}'",
  input_modalities: "'{text}'",
  output_modalities: "'{text}'",
  sent_ms: "1",
  first_byte_ms: "200 + n % 300",
  response_end_ms: "900 + n % 2000",
  duration_ms: "901 + n % 2000",
  content_chunks: "10",
  request_bytes: "1000",
  response_bytes: "2000",
  cut: "false",
  usage_source: "'reported'",
  input_tokens: "100 + n % 900",
  output_tokens: "100 + n % 900",
  cached_tokens: "0",
  tool_call_count: "0",
  problems: "'{}'",
} as const;
