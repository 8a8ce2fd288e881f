import { expect, test } from "vitest";
import { ask } from "#tests/support/http-client.ts";
import { startProxy } from "#tests/support/proxy.ts";
import { startUpstream } from "#tests/support/upstream/server.ts";
import { scripted, useWire } from "./setup.ts";

const wire = useWire({ OMNIMETER_UPSTREAMS: "unreachable=http://127.0.0.1:9" });

const urlSeen = async (path: string, base = wire.proxy.url) =>
  JSON.parse((await ask(base + path, { method: "POST", headers: scripted({ do: "echo" }), body: "{}" })).text).url;

test("paths below /v1 and Azure's /openai go to the upstream as they are", async () => {
  for (const path of [
    "/v1",
    "/v1?x=1",
    "/v1/chat/completions",
    "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
    "/openai/v1/responses?api-version=preview",
    "/openai/responses?api-version=2025-03-01-preview",
  ])
    expect(await urlSeen(path)).toBe(path);
});

test("/f/<feature> is taken off the path", async () => {
  expect(await urlSeen("/f/search/v1/chat/completions?a=1")).toBe("/v1/chat/completions?a=1");
  expect(await urlSeen("/f/two%20words/openai/deployments/d/embeddings")).toBe("/openai/deployments/d/embeddings");
});

test("/u/<name> chooses the upstream, with its own path prefix, in either order with /f", async () => {
  const other = await startUpstream();
  const proxy = await startProxy(wire.upstream.url, {
    OMNIMETER_UPSTREAMS: `other=${other.url}/compat/v1,plain=${other.url}`,
  });
  try {
    expect(await urlSeen("/u/other/v1/chat/completions", proxy.url)).toBe("/compat/v1/chat/completions");
    expect(await urlSeen("/u/plain/f/search/v1/models?x=%2F", proxy.url)).toBe("/v1/models?x=%2F");
    expect(await urlSeen("/f/search/u/plain/v1/models", proxy.url)).toBe("/v1/models");
    expect(other.requests()).toBe(3);
  } finally {
    await proxy.stop();
    await other.stop();
  }
});

test("an upstream that nobody named is an error that says which ones there are", async () => {
  const answer = await ask(`${wire.proxy.url}/u/nope/v1/models`);
  expect(answer.status).toBe(404);
  expect(JSON.parse(answer.text).error).toMatchObject({
    code: "omnimeter_unknown_upstream",
    message: expect.stringContaining("default"),
  });
});

test("any other path is an error that says what the base URL must be", async () => {
  for (const path of ["/", "/chat/completions", "/v2/x", "/v1x", "/openaix", "/u/", "/f//v1"]) {
    const answer = await ask(wire.proxy.url + path);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text).error).toMatchObject({
      code: "omnimeter_unknown_path",
      message: expect.stringContaining("/v1"),
    });
  }
});

test("health, readiness and metrics are answered by the proxy itself", async () => {
  const before = wire.upstream.requests();
  for (const path of ["/healthz", "/readyz", "/metrics"]) expect((await ask(wire.proxy.url + path)).status).toBe(200);
  const { text } = await ask(`${wire.proxy.url}/metrics`);
  expect(text).toMatch(/^omnimeter_accepted_calls_total\S* \d+$/m);
  expect(text).toMatch(/^omnimeter_in_flight_calls\S* \d+$/m);
  expect(wire.upstream.requests()).toBe(before);
});
