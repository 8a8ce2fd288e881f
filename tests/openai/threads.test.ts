import { expect, test } from "vitest";
import { decode } from "#lib/openai/decode.ts";
import { exchange } from "./from-recording.ts";

const AT = 1_699_999_000;
const run = {
  id: "run_1",
  object: "thread.run",
  created_at: AT,
  thread_id: "thread_1",
  status: "completed",
  model: "gpt-4o-mini",
  instructions: "Answer in one short sentence.",
  last_error: null,
  usage: { prompt_tokens: 381, completion_tokens: 88, total_tokens: 469, prompt_token_details: { cached_tokens: 0 } },
};
const queued = { ...run, status: "queued", usage: null };

test("a run that was only started has no usage yet, and is known by its id", async () => {
  const facts = await decode(
    exchange({ path: "/v1/threads/thread_1/runs", request: { assistant_id: "asst_1" }, response: queued }),
  );
  expect(facts).toMatchObject({
    model: "gpt-4o-mini",
    conversationId: "thread_1",
    objectIds: ["run_1"],
    usage: { source: "none" },
    children: [],
    problems: [],
  });
});

test("a finished run that is fetched is a call of its own, of whoever started it, counted once", async () => {
  const path = "/v1/threads/thread_1/runs/run_1";
  const facts = await decode(exchange({ method: "GET", path, response: run }));
  expect(facts).toMatchObject({ usage: { source: "none" }, objectIds: [] });
  expect(facts.children).toMatchObject([
    {
      key: ["run_1"],
      endpoint: "threads_run",
      startedAtMs: AT * 1000,
      outcome: "completed",
      facts: { inherits: "run_1", countsFor: "run_1", usage: { inputTokens: 381, outputTokens: 88 } },
    },
  ]);
  const list = await decode(
    exchange({ method: "GET", path: "/v1/threads/thread_1/runs", response: { object: "list", data: [run, queued] } }),
  );
  expect(list.children).toEqual(facts.children);
  const steps = { object: "list", data: [{ ...run, id: "step_1", object: "thread.run.step" }] };
  expect((await decode(exchange({ method: "GET", path: `${path}/steps`, response: steps }))).children).toEqual([]);
  const failed = { ...run, status: "failed", last_error: { code: "rate_limit_exceeded", message: "Slow" } };
  expect((await decode(exchange({ method: "GET", path, response: failed }))).children).toMatchObject([
    { outcome: "failed", facts: { error: { code: "rate_limit_exceeded" } } },
  ]);
});

const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const step = { object: "thread.run.step", usage: { prompt_tokens: 300, completion_tokens: 80, total_tokens: 380 } };
const begun = event("thread.run.created", queued);
const said =
  event("thread.message.delta", { object: "thread.message.delta", delta: {} }) +
  event("thread.message.completed", {
    object: "thread.message",
    role: "assistant",
    content: [{ type: "text", text: { value: "Hi" } }],
  });
const stream = (text: string) =>
  decode(exchange({ path: "/v1/threads/thread_1/runs", request: { stream: true }, response: text }));

test("a streamed run states its usage at its end; that of its steps is inside", async () => {
  const facts = await stream(
    begun +
      said +
      event("thread.run.step.completed", step) +
      event("thread.run.completed", run) +
      event("done", "[DONE]"),
  );
  expect(facts).toMatchObject({
    streamed: true,
    model: "gpt-4o-mini",
    outcome: null,
    objectIds: ["run_1"],
    countsFor: "run_1",
    conversationId: "thread_1",
    unit: "Answer in one short sentence.",
    marks: { firstTextMs: 10, contentChunks: 1 },
    usage: { inputTokens: 381, outputTokens: 88 },
    children: [],
    problems: [],
  });
  expect(facts.content.output).toEqual([{ role: "assistant", parts: [{ type: "text", text: "Hi" }] }]);
});

test("a streamed run that waits for tools, fails or breaks off", async () => {
  const waiting = await stream(
    begun + event("thread.run.requires_action", { ...queued, status: "requires_action" }) + event("done", "[DONE]"),
  );
  expect(waiting).toMatchObject({ outcome: null, usage: { source: "none" }, problems: [] });
  const last_error = { code: "server_error", message: "Oops" };
  const failed = await stream(
    begun + event("thread.run.failed", { ...queued, status: "failed", last_error }) + event("done", "[DONE]"),
  );
  expect(failed).toMatchObject({ outcome: "failed", error: { code: "server_error" } });
  expect(await stream(begun + said)).toMatchObject({
    outcome: "truncated",
    problems: ["stream_without_terminal_event"],
  });
});

test("a run's stream cut at any byte has an outcome, and usage only once it was stated", async () => {
  const completed = event("thread.run.completed", run);
  const bytes = Buffer.from(begun + said + completed + event("done", "[DONE]"));
  const stated = Buffer.byteLength(begun + said + completed) - 2;
  for (let at = 1; at < stated + 2; at += 3) {
    const facts = await decode(
      exchange({
        path: "/v1/threads/thread_1/runs",
        response: bytes.subarray(0, at),
        headers: ["content-type", "text/event-stream"],
      }),
    );
    expect(facts.outcome).toBe("truncated");
    expect(facts.usage.source).toBe(at < stated ? "none" : "reported");
  }
});
