import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { OTHER_KINDS } from "#lib/demo/others/ask-other.ts";
import { playOther } from "#lib/demo/others/play-other.ts";
import { createRandom } from "#lib/demo/random.ts";
import { type DemoUpstream, startDemoUpstream } from "#lib/demo/upstream.ts";

let upstream: DemoUpstream;
beforeAll(async () => {
  const nothing = () => {
    throw new Error("no chat completion is asked for here");
  };
  upstream = await startDemoUpstream(nothing, createRandom(1));
});
afterAll(() => upstream.stop());

test("every kind of call that the company makes is played", () => {
  const random = createRandom(2);
  for (const kind of OTHER_KINDS)
    for (let n = 0; n < 20; n++) expect(playOther(kind.ask(random), random, 0)?.status).toBe(200);
});

test("anybody's client is answered on the endpoints that are played, and told so on others", async () => {
  const post = (path: string, body: object) =>
    fetch(`${upstream.url}/v1/${path}`, { method: "POST", body: JSON.stringify(body) });
  const embedded = await post("embeddings?x=1", { model: "text-embedding-3-small", input: ["abcd", "abcdefgh"] });
  expect(await embedded.json()).toMatchObject({ usage: { prompt_tokens: 3 }, data: [{ index: 0 }, { index: 1 }] });
  const models = await fetch(`${upstream.url}/v1/models`);
  expect(await models.json()).toMatchObject({ object: "list" });
  const unknown = await post("fine_tuning/jobs", {});
  expect([unknown.status, (await unknown.json()).error.message]).toEqual([404, expect.stringContaining("npm start")]);
});

test("a batch that is handed in is over after a while, and then always says the same", () => {
  const random = createRandom(3);
  const play = (method: string, path: string, nowMs: number) => {
    const answer = playOther({ method, path, contentType: "", body: Buffer.from("{}") }, random, nowMs);
    return JSON.parse(String(answer?.pieces[0]?.bytes)) as { id: string; status: string };
  };
  const { id } = play("POST", "batches", 1_790_000_000_000);
  expect(play("GET", `batches/${id}`, 1_790_000_019_000)).toMatchObject({ id, status: "in_progress", usage: null });
  const over = play("GET", `batches/${id}`, 1_790_000_021_000);
  expect(over).toMatchObject({ id, status: "completed", request_counts: { completed: 50 } });
  expect(play("GET", `batches/${id}`, 1_790_000_900_000)).toEqual(over);
});

test("a realtime session is played to anybody who opens one, and nothing else over a WebSocket is", async () => {
  const url = upstream.url.replace("http", "ws");
  const ws = new WebSocket(`${url}/v1/realtime?model=gpt-realtime-mini`, ["realtime"]);
  const [data] = await once(ws, "message");
  expect(JSON.parse(String(data))).toMatchObject({ type: "session.created", session: { model: "gpt-realtime-mini" } });
  ws.send("no JSON");
  ws.send('{"type":"response.create","response":{"output_modalities":["text"]}}');
  const [next] = await once(ws, "message");
  expect(JSON.parse(String(next))).toMatchObject({ type: "response.created" });
  ws.close();
  await once(ws, "close");
  const [refused] = await once(new WebSocket(`${url}/v1/other`), "error");
  expect(String(refused)).toContain("404");
});
