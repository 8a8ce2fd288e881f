import type { Random } from "../random.ts";
import { type Answer, type Asked, hex, json, objectIn, secondsSinceEpoch, textIn } from "./answer.ts";
import { fieldIn } from "./form.ts";

/** A night's work, handed in as a file: what is sent to begin it and to ask for it, with the answers. */
export interface NightBatch {
  readonly begin: { readonly asked: Asked; readonly answer: Answer };
  /** Asked again when it is done. */
  readonly done: { readonly asked: Asked; readonly answer: Answer };
}

interface Batch {
  readonly id: string;
  readonly inputFile: string;
  /** Milliseconds since the epoch. */
  readonly beganAtMs: number;
  readonly lines: number;
}

const MODEL = "gpt-4o-mini-2024-07-18";
const TOKENS_PER_LINE = { input: 420, output: 36 };
const ENDPOINT = "/v1/chat/completions";
const WINDOW = "24h";

/** `beganAtMs`, `doneAtMs`: milliseconds since the epoch. */
export function drawBatch(random: Random, beganAtMs: number, doneAtMs: number, lines: number): NightBatch {
  const batch = { id: `batch_${hex(random, 32)}`, inputFile: `file-${hex(random, 22)}`, beganAtMs, lines };
  const asked = (method: string, path: string, body: unknown): Asked => ({
    method,
    path,
    contentType: "application/json",
    body: Buffer.from(body === null ? "" : JSON.stringify(body)),
  });
  const wanted = { input_file_id: batch.inputFile, endpoint: ENDPOINT, completion_window: WINDOW };
  return {
    begin: { asked: asked("POST", "batches", wanted), answer: json(random, begun(batch), 180) },
    done: {
      asked: asked("GET", `batches/${batch.id}`, null),
      answer: json(random, completed(batch, doneAtMs), 90),
    },
  };
}

export const takeFile = ({ body }: Asked, random: Random, nowMs: number): Answer =>
  json(
    random,
    {
      id: `file-${hex(random, 22)}`,
      object: "file",
      bytes: body.length,
      created_at: secondsSinceEpoch(nowMs),
      filename: "lines.jsonl",
      purpose: fieldIn(body, "purpose") ?? "batch",
    },
    120,
  );

/** Of somebody else's batch its id says when it began, in its first eight digits: nothing has to be remembered. */
const LASTS_MS = 20_000;
const LINES = 50;

export function beginBatch(asked: Asked, random: Random, nowMs: number): Answer {
  const id = `batch_${secondsSinceEpoch(nowMs).toString(16).padStart(8, "0")}${hex(random, 24)}`;
  const inputFile = textIn(objectIn(asked).input_file_id, `file-${hex(random, 22)}`);
  return json(random, begun({ id, inputFile, beganAtMs: nowMs, lines: LINES }), 180);
}

export function lookAtBatch({ path }: Asked, random: Random, nowMs: number): Answer {
  const id = path.slice("batches/".length);
  const beganAtMs = Number.parseInt(id.slice("batch_".length, "batch_".length + 8), 16) * 1000;
  const batch = { id, inputFile: `file-${id.slice(-22)}`, beganAtMs, lines: LINES };
  const doneAtMs = beganAtMs + LASTS_MS;
  const isDone = nowMs >= doneAtMs;
  return json(random, isDone ? completed(batch, doneAtMs) : { ...begun(batch), status: "in_progress" }, 90);
}

const begun = ({ id, inputFile, beganAtMs }: Batch) => ({
  id,
  object: "batch",
  endpoint: ENDPOINT,
  model: MODEL,
  input_file_id: inputFile,
  completion_window: WINDOW,
  created_at: secondsSinceEpoch(beganAtMs),
  metadata: { job: "classify" },
  status: "validating",
  output_file_id: null as string | null,
  usage: null as object | null,
});

/** The same however often it is looked at. */
function completed(batch: Batch, doneAtMs: number) {
  const { lines, id } = batch;
  const spread = 0.9 + (Number.parseInt(id.slice(-4), 16) / 0xffff) * 0.2;
  const [input, output] = [TOKENS_PER_LINE.input, TOKENS_PER_LINE.output].map((of) =>
    Math.round(lines * of * spread),
  ) as [number, number];
  return {
    ...begun(batch),
    status: "completed",
    output_file_id: `file-${id.slice(-24)}`,
    completed_at: secondsSinceEpoch(doneAtMs),
    request_counts: { total: lines, completed: lines, failed: 0 },
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + output,
    },
  };
}
