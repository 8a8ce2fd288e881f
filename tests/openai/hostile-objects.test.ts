import { expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import type { Facts } from "#lib/openai/facts.ts";
import { exchange } from "./from-recording.ts";

const AT = 1_699_999_000;
const usage = {
  input_tokens: 30,
  output_tokens: 4,
  total_tokens: 34,
  input_tokens_details: { cached_tokens: 8, cache_write_tokens_details: { ttl_30m_tokens: 2 } },
  output_tokens_details: { reasoning_tokens: 1 },
};
const batch = {
  id: "batch_1",
  object: "batch",
  model: "m",
  status: "completed",
  completed_at: AT,
  output_file_id: "file-1",
  errors: { data: [{ code: "c", message: "m" }] },
  usage,
  metadata: { a: "b" },
};
const run = {
  id: "run_1",
  object: "thread.run",
  created_at: AT,
  thread_id: "t",
  status: "failed",
  last_error: { code: "c" },
  usage,
};
const job = { id: "j", object: "fine_tuning.job", model: "m", status: "succeeded", finished_at: AT, trained_tokens: 5 };
const response = {
  id: "resp_1",
  object: "response",
  created_at: AT,
  model: "gpt-4o-mini",
  status: "completed",
  tools: [{ type: "web_search" }, { type: "code_interpreter", container: { type: "auto", memory_limit: "1g" } }],
  tool_usage: { web_search: { num_requests: 2 }, image_gen: { ...usage, cached_tokens_details: { text_tokens: 1 } } },
  output: [
    { type: "web_search_call", status: "completed", action: { type: "search" } },
    { type: "code_interpreter_call", status: "completed", container_id: "cntr_1" },
    { type: "image_generation_call", status: "completed", result: "aGk=" },
    { type: "file_search_call", status: "completed" },
  ],
  usage,
};
const line = { id: "batch_req_1", custom_id: "a", response: { status_code: 200, body: response }, error: null };

const bodies: [string, string, object][] = [
  ["GET", "/v1/batches/batch_1", batch],
  ["GET", "/v1/batches", { object: "list", data: [batch] }],
  ["GET", "/v1/threads/t/runs/run_1", run],
  ["GET", "/v1/fine_tuning/jobs/j", job],
  ["POST", "/v1/containers", { id: "cntr_1", object: "container", created_at: AT, memory_limit: "4g" }],
  [
    "POST",
    "/v1/realtime/client_secrets",
    { session: { id: "s", model: "m", audio: { input: { transcription: { model: "m" } } } } },
  ],
  ["POST", "/v1/conversations", { id: "c", object: "conversation" }],
  ["POST", "/v1/responses", response],
  ["GET", "/v1/files/file-1/content", line],
];

const ODD = [null, 0, -1, 0.5, 1e300, "", "x", true, [], {}, [null], [[]], { id: 3 }];

/** The value with one of its parts replaced, for every part and every odd value. */
function* spoiled(value: unknown): Generator<unknown> {
  yield* ODD;
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    for (const odd of spoiled(part))
      yield Array.isArray(value) ? value.with(Number(key), odd) : { ...value, [key]: odd };
  }
}

test.each(bodies)("%s %s is read whatever stands in one of its places", async (method, path, body) => {
  let known = 0;
  for (const odd of spoiled(body)) {
    const facts = await decode(exchange({ method, path, request: {}, response: JSON.stringify(odd) }));
    expect(facts.problems).not.toContain("reader_failed");
    for (const one of [facts, ...facts.children.map((child) => child.facts)]) expectWellFormed(one);
    for (const { startedAtMs, key } of facts.children) {
      expect(Number.isSafeInteger(startedAtMs) && startedAtMs >= 0).toBe(true);
      expect(key.every((part) => typeof part === "string")).toBe(true);
    }
    known++;
  }
  expect(known).toBeGreaterThan(ODD.length);
});

function expectWellFormed({ lines, usage, model, responseId, objectIds, countsFor, problems }: Facts): void {
  for (const text of [model, responseId, countsFor]) expect(text === null || typeof text === "string").toBe(true);
  expect(objectIds.every((id) => typeof id === "string")).toBe(true);
  expect(lines.every(({ quantity }) => Number.isInteger(quantity) && quantity > 0)).toBe(true);
  const kinds = lines.map(({ direction, modality, cache, unit }) => [direction, modality, cache, unit].join());
  expect(new Set(kinds).size).toBe(kinds.length);
  const tokens = lines.filter(({ direction }) => direction !== "tool");
  const sum = tokens.reduce((total, { quantity }) => total + quantity, 0);
  if (tokens.length > 0) expect(sum).toBe((usage.inputTokens ?? 0) + (usage.outputTokens ?? 0));
  else if (usage.inputTokens) expect(problems).toContain("usage_inconsistent");
}
