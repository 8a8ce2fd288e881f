import { expect, test } from "vitest";
import { derivedId } from "#lib/derived-id.ts";
import { decode } from "#lib/openai/decode.ts";
import type { ChildFacts, Facts } from "#lib/openai/facts.ts";
import type { Wire } from "./from-recording.ts";
import { exchange, oddly } from "./from-recording.ts";

/** Seconds, a quarter of an hour before the exchanges of these tests begin. */
const AT = 1_699_999_100;
const details = { input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } };
const batch = {
  id: "batch_1",
  object: "batch",
  endpoint: "/v1/chat/completions",
  model: "gpt-4o-2024-08-06",
  status: "completed",
  output_file_id: "file-out",
  error_file_id: "file-err",
  created_at: AT - 3600,
  completed_at: AT,
  usage: { input_tokens: 300, output_tokens: 40, total_tokens: 340, ...details },
  metadata: { feature: "nightly" },
};

const read = (wire: Wire) => decode(exchange(wire));
const look = (response: object) => read({ method: "GET", path: "/v1/batches/batch_1", response });
const lines = ({ lines }: Facts) => lines.map((line) => `${line.direction} ${line.modality} ${line.quantity}`);

test("a batch that is over is one call, at the batch rate, of whoever submitted it", async () => {
  const facts = await look(batch);
  expect(facts).toMatchObject({ usage: { source: "none" }, lines: [], objectIds: [] });
  const [child, ...more] = facts.children as [ChildFacts];
  expect(more).toEqual([]);
  expect(child).toMatchObject({
    key: ["batch", "batch_1"],
    endpoint: "batch",
    startedAtMs: AT * 1000,
    outcome: "completed",
    facts: {
      model: "gpt-4o-2024-08-06",
      serviceTier: "batch",
      objectIds: ["file-out", "file-err"],
      inherits: "batch_1",
      countsFor: "file-out",
      hints: { metadata: { feature: "nightly" } },
      usage: { source: "reported", inputTokens: 300, outputTokens: 40 },
    },
  });
  expect(lines(child.facts)).toEqual(["input text 300", "output text 40"]);
});

test("to submit a batch makes its id known, and costs nothing yet", async () => {
  const created = { ...batch, status: "validating", completed_at: null, output_file_id: null, error_file_id: null };
  const zero = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
  const facts = await read({
    path: "/v1/batches",
    request: { input_file_id: "f" },
    response: { ...created, usage: zero },
  });
  expect(facts).toMatchObject({ objectIds: ["batch_1"], children: [], lines: [], usage: { totalTokens: 0 } });
  expect((await look({ ...created, status: "in_progress" })).children).toEqual([]);
});

test("what a cancelled or expired batch had answered is billed, under its own id where it has no file", async () => {
  const cancelled = { ...batch, status: "cancelled", cancelled_at: AT + 5, output_file_id: null, error_file_id: null };
  const [child] = (await look(cancelled)).children;
  expect(child).toMatchObject({
    startedAtMs: (AT + 5) * 1000,
    facts: { countsFor: "batch_1", finishReasons: ["cancelled"] },
  });
  const failed = {
    ...batch,
    status: "failed",
    failed_at: AT,
    usage: null,
    errors: { data: [{ code: "bad", message: "No" }] },
  };
  expect((await look(failed)).children[0]).toMatchObject({
    outcome: "failed",
    facts: { error: { code: "bad", message: "No" }, usage: { source: "none" }, countsFor: null },
  });
});

test("an old batch states no usage: it leads to its files, whose lines do", async () => {
  for (const usage of [undefined, null, { input_tokens: 0, output_tokens: 0, total_tokens: 0 }]) {
    const [child] = (await look({ ...batch, usage })).children;
    expect(child?.facts).toMatchObject({
      usage: { source: "none" },
      lines: [],
      countsFor: null,
      objectIds: ["file-out", "file-err"],
    });
  }
});

test("a list of batches tells of each that is over", async () => {
  const list = {
    object: "list",
    data: [batch, { ...batch, id: "batch_2", status: "in_progress" }, { ...batch, id: "batch_3" }, 7],
  };
  const facts = await read({ method: "GET", path: "/v1/batches?limit=4", response: list });
  expect(facts.children.map(({ key }) => key[1])).toEqual(["batch_1", "batch_3"]);
});

const line = (id: string, body: object | null, more: object = {}) => ({
  id,
  custom_id: `row-${id}`,
  response: body && { status_code: 200, request_id: "r", body },
  error: null,
  ...more,
});
const chat = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: AT - 60,
  model: "gpt-4o-2024-08-06",
  service_tier: "default",
  choices: [{ index: 0, message: { role: "assistant", content: "Hé 🎉" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
};
const response = {
  id: "resp_1",
  object: "response",
  created_at: AT - 50,
  model: "gpt-4o-mini-2024-07-18",
  status: "completed",
  output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi" }] }],
  usage: { input_tokens: 200, output_tokens: 30, total_tokens: 230 },
};
const refused = { error: { message: "Too long", type: "invalid_request_error", code: "context_length_exceeded" } };
const failedLine = {
  ...line(`batch_req_${(AT - 40).toString(16)}819095a7f5d57f33d80d62739fdf52061b`, null),
  response: { status_code: 400, request_id: "r", body: refused },
};
const file = [line("batch_req_1", chat), line("batch_req_2", response), failedLine]
  .map((value) => JSON.stringify(value))
  .join("\n");
const content = (bytes: Buffer | string, more: Partial<Wire> = {}) =>
  read({
    method: "GET",
    path: "/v1/files/file-out/content",
    headers: ["content-type", "application/octet-stream"],
    response: bytes,
    ...more,
  });

test("every line of a batch's answers is a call, read as one of its endpoint, at the batch rate", async () => {
  const facts = await content(`${file}\n`);
  expect(facts.problems).toEqual([]);
  expect(
    facts.children.map(({ key, endpoint, startedAtMs, status, outcome, facts }) => ({
      key: key[0]?.slice(0, 11),
      endpoint,
      at: startedAtMs / 1000 - AT,
      status,
      outcome,
      model: facts.model,
      id: facts.responseId,
      tokens: lines(facts),
    })),
  ).toEqual([
    {
      key: "batch_req_1",
      endpoint: "chat_completions",
      at: -60,
      status: 200,
      outcome: "completed",
      model: "gpt-4o-2024-08-06",
      id: "chatcmpl-1",
      tokens: ["input text 100", "output text 10"],
    },
    {
      key: "batch_req_2",
      endpoint: "responses",
      at: -50,
      status: 200,
      outcome: "completed",
      model: "gpt-4o-mini-2024-07-18",
      id: "resp_1",
      tokens: ["input text 200", "output text 30"],
    },
    {
      key: "batch_req_6",
      endpoint: "unknown",
      at: -40,
      status: 400,
      outcome: "failed",
      model: null,
      id: null,
      tokens: [],
    },
  ]);
  for (const { facts: one } of facts.children) {
    expect(one).toMatchObject({ serviceTier: "batch", inherits: "file-out", countsFor: "file-out" });
  }
  expect(facts.children[2]?.facts.error).toMatchObject({ code: "context_length_exceeded", message: "Too long" });
});

test("what a line's tools cost is told beside it", async () => {
  const container_id = `cntr_${(AT - 50).toString(16)}819095a7f5d57f33d80d62739fdf52061b`;
  const ran = { type: "code_interpreter_call", status: "completed", container_id };
  const text = JSON.stringify(line("batch_req_2", { ...response, output: [ran] }));
  const { children } = await content(`${text}\n${text}`);
  expect(children.map(({ endpoint, startedAtMs }) => [endpoint, startedAtMs / 1000 - AT])).toEqual([
    ["responses", -50],
    ["containers", -50],
    ["responses", -50],
    ["containers", -50],
  ]);
  expect(children[1]?.facts).toMatchObject({ inherits: "resp_1", serviceTier: null });
  expect(children[3]).toEqual(children[1]);
});

test("a line that never reached its endpoint says why", async () => {
  const expired = line("batch_req_9", null, { error: { code: "batch_expired", message: "Too late" } });
  const [child] = (await content(JSON.stringify(expired))).children;
  expect(child).toMatchObject({ status: null, outcome: "failed", facts: { error: { code: "batch_expired" } } });
});

test("a file read twice, in other pieces, at another time, gives the same calls", async () => {
  const ids = ({ children }: Facts) => children.map(({ startedAtMs, key }) => derivedId(startedAtMs, ...key));
  const once = await content(file);
  const again = await content(file, { split: oddly, headers: ["content-type", "application/json"] });
  expect(ids(again)).toEqual(ids(once));
  expect(again.children).toEqual(once.children);
  expect(again.problems).toEqual([]);
});

test("of a file cut at any byte the whole lines are read", async () => {
  const bytes = Buffer.from(file);
  const ends = [...bytes.entries()].filter(([, byte]) => byte === 10).map(([at]) => at);
  for (let at = 1; at < bytes.length; at += 7) {
    const facts = await content(bytes.subarray(0, at), { ending: "upstream_reset" });
    const whole = ends.filter((end) => end < at).length;
    expect(facts.children.length).toBe(whole);
    expect(facts.problems).toEqual(whole > 0 ? ["response_cut"] : []);
  }
});

test("of a file too long to keep the whole lines at its beginning and at its end are read", async () => {
  const bytes = Buffer.from(file);
  const [first, second] = [bytes.indexOf(10), bytes.lastIndexOf(10)] as const;
  const kept = (...ranges: [number, number][]) => {
    const whole = exchange({
      method: "GET",
      path: "/v1/files/file-out/content",
      headers: ["content-type", "application/octet-stream"],
      response: bytes,
    });
    const chunks = ranges.map(([from, to]) => ({ atMs: 10, offset: from, bytes: bytes.subarray(from, to) }));
    return decode({ ...whole, response: { ...whole.response, chunks, cut: true } } as typeof whole);
  };
  const keys = ({ children }: Facts) => children.map(({ key }) => key[0]?.slice(0, 11));
  const tail = await kept([0, first + 20], [second - 20, bytes.length]);
  expect([keys(tail), tail.problems]).toEqual([["batch_req_1", "batch_req_6"], ["response_cut"]]);
  const head = await kept([0, second]);
  expect([keys(head), head.problems]).toEqual([["batch_req_1"], ["response_cut"]]);
});

test("of a part of a file the whole lines are read, and it is no more than a part", async () => {
  const part = await content(file.slice(50), { status: 206 });
  expect(part.children.map(({ facts }) => facts.responseId)).toEqual(["resp_1"]);
  expect(part.problems).toEqual(["response_cut"]);
  expect((await content("x".repeat(100), { status: 206 })).problems).toEqual([]);
});

test("a line that names no moment of its time began when the file was read, and says so", async () => {
  const moments = async (created: unknown) => {
    const { children } = await content(JSON.stringify(line("row", { ...chat, created })));
    return children.map(({ startedAtMs, facts }) => [startedAtMs, facts.problems]);
  };
  const READ_AT = 1_700_000_000_000;
  expect(await moments(AT)).toEqual([[AT * 1000, []]]);
  for (const odd of [undefined, null, 0, 1, -5, 1e300, "12", AT - 400 * 86_400, AT + 86_400])
    expect(await moments(odd)).toEqual([[READ_AT, ["moment_unknown"]]]);
});

test("a file of another kind has no answers in it", async () => {
  for (const text of [
    "",
    "{}",
    "[1,2]",
    "a,b\n1,2",
    '{"messages":[]}\n{"messages":[]}',
    '{"custom_id":"a","method":"POST"}',
    "\x89PNG",
  ]) {
    expect(await content(text)).toMatchObject({ children: [], problems: [] });
  }
  const missing = await read({ method: "GET", path: "/v1/files/file-out/content", status: 404, response: refused });
  expect(missing).toMatchObject({ outcome: "failed", children: [] });
});

test("embeddings in a batch count their input", async () => {
  const body = {
    object: "list",
    model: "text-embedding-3-small",
    data: [{ embedding: [0.1] }],
    usage: { prompt_tokens: 8, total_tokens: 8 },
  };
  const [child] = (await content(JSON.stringify(line("batch_req_1", body)))).children;
  expect(child).toMatchObject({ endpoint: "embeddings", facts: { model: "text-embedding-3-small" } });
});
