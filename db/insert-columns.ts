import { quoted, storableJson } from "./rows.ts";

/** Postgres' names of types. `text[]` comes as one text per row: arrays of arrays would all have to be of one length. */
type ColumnType =
  | "bigint"
  | "boolean"
  | "date"
  | "double precision"
  | "integer"
  | "jsonb"
  | "numeric"
  | "smallint"
  | "text"
  | "text[]"
  | "timestamptz"
  | "uuid";

/** Tables that take a row or more per call, column by column (a test holds this against the database). */
export const COLUMN_TYPES = {
  calls: {
    id: "uuid",
    parent_id: "uuid",
    project_id: "text",
    environment: "text",
    operation_id: "uuid",
    attempt: "smallint",
    upstream: "text",
    region: "text",
    started_at: "timestamptz",
    recorded_at: "timestamptz",
    booked_on: "date",
    decoder_version: "integer",
    spool: "text",
    run: "text",
    seq: "bigint",
    endpoint: "text",
    method: "text",
    path: "text",
    streamed: "boolean",
    request_model: "text",
    model: "text",
    request_service_tier: "text",
    service_tier: "text",
    system_fingerprint: "text",
    feature: "text",
    customer: "text",
    end_user: "text",
    session: "text",
    template: "text",
    template_version: "text",
    release: "text",
    tags: "jsonb",
    unit_hash: "text",
    template_leaf: "bigint",
    outcome: "text",
    status: "smallint",
    error_type: "text",
    error_code: "text",
    error_message: "text",
    finish_reasons: "text[]",
    response_id: "text",
    previous_response_id: "text",
    conversation_id: "text",
    prompt_cache_key: "text",
    upstream_request_id: "text",
    client_request_id: "text",
    trace_id: "text",
    parent_span_id: "text",
    input_modalities: "text[]",
    output_modalities: "text[]",
    input_audio_ms: "double precision",
    output_audio_ms: "double precision",
    request_end_ms: "double precision",
    sent_ms: "double precision",
    connect_ms: "double precision",
    first_byte_ms: "double precision",
    first_token_ms: "double precision",
    first_text_ms: "double precision",
    first_audio_ms: "double precision",
    last_token_ms: "double precision",
    response_end_ms: "double precision",
    duration_ms: "double precision",
    longest_gap_ms: "double precision",
    stalls: "integer",
    content_chunks: "integer",
    request_bytes: "bigint",
    response_bytes: "bigint",
    cut: "boolean",
    usage_source: "text",
    input_tokens: "bigint",
    output_tokens: "bigint",
    total_tokens: "bigint",
    input_text_tokens: "bigint",
    input_audio_tokens: "bigint",
    input_image_tokens: "bigint",
    cached_tokens: "bigint",
    cached_text_tokens: "bigint",
    cached_audio_tokens: "bigint",
    cached_image_tokens: "bigint",
    cache_write_tokens: "bigint",
    output_text_tokens: "bigint",
    output_audio_tokens: "bigint",
    output_image_tokens: "bigint",
    reasoning_tokens: "bigint",
    accepted_prediction_tokens: "bigint",
    rejected_prediction_tokens: "bigint",
    duration_seconds: "numeric",
    input_tokens_low: "bigint",
    input_tokens_high: "bigint",
    output_tokens_low: "bigint",
    output_tokens_high: "bigint",
    tool_call_count: "integer",
    problems: "text[]",
  },
  usage_lines: {
    call_id: "uuid",
    adjustment: "smallint",
    direction: "text",
    modality: "text",
    cache: "text",
    unit: "text",
    product: "text",
    quantity: "numeric",
    source: "text",
    booked_on: "date",
    price_id: "text",
    price_usd: "numeric",
    price_per: "numeric",
    cost_usd: "numeric",
    saved_usd: "numeric",
  },
  provider_objects: { project_id: "text", upstream: "text", object_id: "text", call_id: "uuid" },
} as const satisfies Record<string, Record<string, ColumnType>>;

/**
 * SQL that inserts rows (one key per column) as one array per column. Takes Postgres a third of the time of a JSON document, whose
 * names it looks up for every row; a column that is null in all rows is left out, and one that is the same in all is written once.
 */
export function insertColumns(table: keyof typeof COLUMN_TYPES, rows: readonly Record<string, unknown>[]): string {
  const columns = (Object.entries(COLUMN_TYPES[table]) as [string, ColumnType][])
    .map(([name, type]) => columnOf(rows, name, type))
    .filter(({ same }) => same !== NULL);
  const arrays = columns.filter(({ same }) => same === null);
  const values = columns.map(({ name, type, same }) => {
    const value = same === null ? name : `(${arrayOf([same], type)})[1]`;
    return type === "text[]" ? `${value}::text[]` : value;
  });
  const from =
    arrays.length === 0
      ? `generate_series(1, ${rows.length})`
      : `unnest(${arrays.map(({ elements, type }) => arrayOf(elements, type)).join(", ")}) as given (${arrays.map(({ name }) => name).join(", ")})`;
  return `insert into ${table} (${columns.map(({ name }) => name).join(", ")}) select ${values.join(", ")} from ${from}`;
}

const NULL = "null";

interface Column {
  name: string;
  type: ColumnType;
  /** As elements of an array. */
  elements: string[];
  /** What all of them are; null: they differ. */
  same: string | null;
}

function columnOf(rows: readonly Record<string, unknown>[], name: string, type: ColumnType): Column {
  const write = ELEMENTS[type] ?? plain;
  const elements: string[] = [];
  let isSame = true;
  let before: unknown;
  let element = NULL;
  for (const row of rows) {
    const value = row[name] ?? null;
    if (value !== before) {
      const next = value === null ? NULL : write(value);
      isSame &&= next === element || elements.length === 0;
      before = value;
      element = next;
    }
    elements.push(element);
  }
  return { name, type, elements, same: isSame ? element : null };
}

/** https://www.postgresql.org/docs/current/arrays.html, "Array Input and Output Syntax". */
const arrayOf = (elements: readonly string[], type: ColumnType): string =>
  `${quoted(`{${elements.join(",")}}`.toWellFormed())}::${type === "text[]" ? "text" : type}[]`;

/** Their texts hold nothing that an array's syntax knows. What is no number is not known: a sum over it would be none either. */
const plain = (value: unknown): string =>
  typeof value === "number" && !Number.isFinite(value) ? "null" : String(value);

const ELEMENTS: Partial<Record<ColumnType, (value: unknown) => string>> = {
  text: (value) => inQuotes(String(value)),
  jsonb: (value) => inQuotes(storableJson(value)),
  "text[]": (value) => inQuotes(`{${(value as string[]).map(inQuotes).join(",")}}`),
};

const inQuotes = (text: string): string => `"${/["\\]/.test(text) ? text.replace(/["\\]/g, "\\$&") : text}"`;
