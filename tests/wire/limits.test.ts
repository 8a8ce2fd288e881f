import { expect, test } from "vitest";
import { ask } from "#tests/support/http-client.ts";
import { metric } from "#tests/support/proxy.ts";
import { eventually, scripted, useWire } from "./setup.ts";

const wire = useWire({ OMNIMETER_MAX_CALLS: "2", OMNIMETER_SPOOL_BYTES: String(1 << 20), OMNIMETER_KEEP_BYTES: "100" });
const headers = ["Content-Type", "application/json", ...scripted({ do: "chat", chunks: 20, paceMs: 20 })];
const stream = () => ask(`${wire.proxy.url}/v1/chat/completions`, { method: "POST", headers, body: '{"stream":true}' });

test("calls beyond the limit of calls at once are relayed all the same, and counted with their reason", async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, stream));
  expect(answers.map(({ status, complete }) => [status, complete])).toEqual(Array(6).fill([200, true]));
  expect(await metric(wire.proxy.url, "omnimeter_accepted_calls_total")).toBe(6);
  expect(await metric(wire.proxy.url, "omnimeter_dropped_calls_total", 'reason="too_many_calls"')).toBe(4);
});

test("calls beyond the spool's size are relayed all the same, and counted with their reason", async () => {
  const long = ["X-Filler", "x".repeat(12_000), ...scripted({ do: "answer", body: "ok" })];
  const one = () => ask(`${wire.proxy.url}/v1/anything`, { method: "POST", headers: long, body: "x" });
  await eventually("the spool is full", async () => {
    for (let i = 0; i < 10; i++) expect((await one()).status).toBe(200);
    return (await metric(wire.proxy.url, "omnimeter_dropped_calls_total", 'reason="spool_full"')) > 0;
  });
  expect((await one()).status).toBe(200);
});
