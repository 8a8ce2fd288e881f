import { afterAll, beforeAll, expect, test } from "vitest";
import { differences } from "#db/referee.ts";
import { ask } from "#tests/support/http-client.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type System, startSystem } from "#tests/support/system.ts";
import type { Handler } from "#tests/support/upstream/server.ts";

let database: TestDatabase;
let system: System;
beforeAll(async () => {
  database = await testDatabase();
  system = await startSystem({ database });
});
afterAll(async () => {
  await system?.stop();
  await database?.drop();
});

const NOW_S = Math.floor(Date.now() / 1000);
const json =
  (value: unknown): Handler =>
  (_, res) =>
    res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
const MODEL = "gpt-4o-2024-08-06";
const usage = { input_tokens: 2000, output_tokens: 200, total_tokens: 2200 };
const headers = (feature: string) => ["content-type", "application/json", "x-omnimeter-feature", feature];
const get = (path: string, feature: string) => ask(system.proxyUrl + path, { headers: headers(feature) });
const post = (path: string, feature: string, body: object) =>
  ask(system.proxyUrl + path, { method: "POST", headers: headers(feature), body: JSON.stringify(body) });
const spent = async () => {
  const rows = await system.sql`
    select coalesce(c.feature, '') as feature, trim_scale(sum(l.cost_usd))::text as usd
    from calls c join usage_lines l on l.call_id = c.id group by 1 order by 1`;
  return Object.fromEntries(rows.map(({ feature, usd }) => [feature, usd]));
};

test("a batch is paid once by whoever submitted it, however many clients look at it and fetch its answers", async () => {
  const batch = { id: "batch_1", object: "batch", model: MODEL, status: "in_progress", usage: null };
  system.upstream.on("/v1/batches", json(batch));
  system.upstream.on("/v1/batches/batch_1", json(batch));
  await post("/v1/batches", "nightly", { input_file_id: "file-in" });
  for (let i = 0; i < 5; i++) await get("/v1/batches/batch_1", "watcher");
  const over = { ...batch, status: "completed", completed_at: NOW_S, output_file_id: "file-out", usage };
  system.upstream.on("/v1/batches/batch_1", json(over));
  const row = (n: number) => ({
    id: `batch_req_${n}`,
    custom_id: `row ${n}`,
    error: null,
    response: {
      status_code: 200,
      body: {
        id: `chatcmpl-row-${n}`,
        object: "chat.completion",
        created: NOW_S - 60,
        model: MODEL,
        choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
      },
    },
  });
  const file = [row(1), row(2)].map((one) => `${JSON.stringify(one)}\n`).join("");
  system.upstream.on("/v1/files/file-out/content", (_, res) =>
    res.writeHead(200, { "content-type": "application/octet-stream" }).end(file),
  );
  await Promise.all(Array.from({ length: 15 }, (_, i) => get("/v1/batches/batch_1", `watcher-${i % 3}`)));
  await Promise.all(["reader", "other"].map((feature) => get("/v1/files/file-out/content", feature)));
  await system.drained();
  // 2,000 + 200 tokens at half the price.
  expect(await spent()).toEqual({ nightly: "0.0035" });
  const lines = await system.sql`
    select feature, usage_source, response_id from calls where parent_id is not null and endpoint <> 'batch' order by response_id`;
  expect([...lines]).toEqual(
    ["chatcmpl-row-1", "chatcmpl-row-2"].map((response_id) => ({
      feature: "nightly",
      usage_source: "none",
      response_id,
    })),
  );
});

test("what is said later of one of a batch's answers finds it", async () => {
  const said = { target: { response: "chatcmpl-row-2" }, rating: "down", rater: "u1" };
  expect((await post("/omnimeter/v1/feedback", "reader", said)).status).toBe(202);
  const found = async () => {
    const rows = await system.sql`
      select c.response_id, c.feature from feedback f join calls c on c.id = f.call_id where f.matched_at is not null`;
    return [...rows];
  };
  await expect.poll(found, { timeout: 20_000 }).toEqual([{ response_id: "chatcmpl-row-2", feature: "nightly" }]);
});

test("a response in the background, polled and retrieved, is paid once, by whoever asked for it", async () => {
  const response = { id: "resp_bg", object: "response", created_at: NOW_S, model: MODEL, background: true };
  system.upstream.on("/v1/responses", json({ ...response, status: "queued", output: [], usage: null }));
  system.upstream.on("/v1/responses/resp_bg", json({ ...response, status: "in_progress", output: [], usage: null }));
  await post("/v1/responses", "background", { model: "gpt-4o", input: "Hello", background: true });
  for (let i = 0; i < 3; i++) await get("/v1/responses/resp_bg", "watcher");
  const output = [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi" }] }];
  const done = { ...response, status: "completed", output, usage, service_tier: "default" };
  system.upstream.on("/v1/responses/resp_bg", json(done));
  await Promise.all([get("/v1/responses/resp_bg", "watcher"), get("/v1/responses/resp_bg", "other")]);
  await get("/v1/responses/resp_bg?stream=false", "watcher");
  await system.drained();
  expect(await spent()).toEqual({ nightly: "0.0035", background: "0.007" });
  const now = Date.now();
  expect(await differences(system.sql, now - 120_000, now + 1)).toEqual([]);
  expect([...(await system.sql`select reason from set_aside`)]).toEqual([]);
});
