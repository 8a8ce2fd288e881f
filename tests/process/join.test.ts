import { once } from "node:events";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import WebSocket from "ws";
import { responseCreated, usage } from "#lib/demo/realtime/events.ts";
import type { TimedEvent } from "#lib/demo/realtime/timed.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type System, startSystem } from "#tests/support/system.ts";
import { type FakeRealtime, startRealtime } from "#tests/support/upstream/realtime.ts";

// Calls over WebRTC: their media goes elsewhere, and what they cost is known because the recorder listens.

const KEY = "sk-joins-4711";
const MODEL = "gpt-4o-realtime-preview-2024-12-17";
/** 57 × 5.00 + 256 × 2.50 + 92 × 40.00 + 384 × 2.50 + 9 × 20.00 + 23 × 80.00 dollars per million. */
const USD = "0.007585";

let database: TestDatabase;
let upstream: FakeRealtime;
let system: System;
/** The key that the provider takes. */
let goodKey = KEY;
let calls = 0;
let goesOn = false;

beforeAll(async () => {
  database = await testDatabase();
  upstream = await startRealtime(
    (connection) => ({ play: heardIn(callOf(connection)), ...(!goesOn && { close: { code: 1000, reason: "" } }) }),
    {
      answer: (req, res) =>
        req
          .resume()
          .on("end", () => res.writeHead(201, { location: `/v1/realtime/calls/rtc_${++calls}` }).end("v=0\r\n")),
      refuses: ({ headers }) => (headers.authorization === `Bearer ${goodKey}` ? null : 401),
    },
  );
  system = await startSystem({ database, upstreamUrl: upstream.url, env: { OMNIMETER_JOIN_CALLS_KEY: KEY } });
});
afterAll(async () => {
  await system?.stop();
  await upstream?.stop();
  await database?.drop();
});

const callOf = (connection: number) => /call_id=(\w+)/.exec(upstream.connections[connection]?.req.url ?? "")?.[1] ?? "";

/** One answer, under the same id for whoever listens. */
function heardIn(call: string): TimedEvent[] {
  const response = `resp_${call}`;
  const done = { object: "realtime.response", id: response, status: "completed", output: [] };
  const used = usage([313, 256], [476, 384], 9, 23);
  const events = [
    {
      type: "session.created",
      session: { type: "realtime", object: "realtime.session", id: `sess_${call}`, model: MODEL },
    },
    responseCreated(response),
    { type: "output_audio_buffer.started", response_id: response },
    { type: "response.done", response: { ...done, usage: used } },
  ];
  return events.map((event, i) => ({ from: "server", atMs: i * 10, event }));
}

async function setUpCall(headers: Record<string, string>): Promise<string> {
  const answer = await fetch(`${system.proxyUrl}/f/phone/v1/realtime/calls`, {
    ...{ method: "POST", body: "v=0\r\n" },
    headers: { "content-type": "application/sdp", authorization: "Bearer sk-app", ...headers },
  });
  await answer.text();
  return (answer.headers.get("location") as string).split("/").at(-1) as string;
}

/** An application that listens itself. */
async function listen(call: string) {
  const url = `${system.proxyUrl.replace("http", "ws")}/v1/realtime?call_id=${call}`;
  const ws = new WebSocket(url, { headers: { authorization: `Bearer ${goodKey}` } });
  await once(ws, "close");
}

const sessions = () =>
  database.sql`
    select provider_call_id, transport, feature, customer, session, tags, model, client_messages::int as said, end_reason
    from sessions where ended_at is not null order by id`;
const answers = () =>
  database.sql`
    select c.feature, c.customer, c.session, c.model, c.usage_source, c.problems, trim_scale(sum(l.cost_usd))::text as usd
    from calls c left join usage_lines l on l.call_id = c.id where c.parent_id is not null
    group by c.id, c.feature, c.customer, c.session, c.model, c.usage_source, c.problems, c.seq order by c.id`;
const until = (ready: () => Promise<void>) => vi.waitFor(ready, { timeout: 10_000, interval: 50 });
const joins = (result: string) => system.metric("omnimeter_call_joins_total", `result="${result}"`);

test("a call that is set up through the proxy is listened to, recorded and priced for whom it was set up", async () => {
  const call = await setUpCall({
    "x-omnimeter-session": "call%2042",
    "x-omnimeter-tags": "a=1",
    baggage: "omnimeter.customer=acme",
  });
  await until(async () => expect(await sessions()).toHaveLength(1));
  const whom = { feature: "phone", customer: "acme", session: "call 42" };
  expect(await sessions()).toMatchObject([
    {
      ...whom,
      provider_call_id: call,
      transport: "side_channel",
      tags: { a: "1" },
      model: MODEL,
      said: 0,
      end_reason: "server_closed",
    },
  ]);
  expect(await answers()).toEqual([{ ...whom, model: MODEL, usage_source: "reported", problems: [], usd: USD }]);
  expect(upstream.connections.map(({ received }) => received)).toEqual([[]]);

  // Somebody else listens, too: a second recorder, or the application itself.
  await listen(call);
  await until(async () => expect(await sessions()).toHaveLength(2));
  const both = await answers();
  expect(both.map(({ usage_source, usd }) => [usage_source, usd])).toEqual([
    ["reported", USD],
    ["none", null],
  ]);
  expect(both[1]).toMatchObject({ ...whom, problems: expect.arrayContaining(["usage_of_another_call"]) });
  await until(async () => expect(await joins("joined")).toBe(1));
});

test("a recorder that stops hangs up, and its successor does not join what was stored", async () => {
  goesOn = true;
  const index = upstream.connections.length;
  await setUpCall({});
  await until(async () => expect(await answers()).toHaveLength(3));
  await system.kill("recorder", "SIGTERM");
  await until(async () => expect(upstream.connections[index]?.close).toEqual([1000, ""]));
  await system.start("recorder");
  goesOn = false;
  await setUpCall({});
  await until(async () => expect(await sessions()).toHaveLength(4));
  expect((await sessions()).map(({ end_reason }) => end_reason)).toEqual([
    ...["server_closed", "server_closed", "client_closed", "server_closed"],
  ]);
  expect(upstream.connections).toHaveLength(index + 2);
});

test("a key that is refused is said once, disturbs nothing else, and stands nowhere", async () => {
  goodKey = "sk-another";
  const before = upstream.connections.length;
  for (let i = 0; i < 2; i++) await setUpCall({ "x-omnimeter-customer": "refused" });
  await until(async () => expect(await joins("failed")).toBe(2));
  const said = system.output("recorder").split("\n");
  expect(said.filter((line) => line.includes("OMNIMETER_JOIN_CALLS_KEY is refused (401 Unauthorized)"))).toHaveLength(
    1,
  );
  expect(upstream.connections).toHaveLength(before);
  await system.drained();
  const recorded = await database.sql`
    select endpoint, status, outcome from calls where customer = 'refused' order by endpoint, id`;
  expect([...recorded]).toEqual([
    ...Array(2).fill({ endpoint: "realtime", status: 401, outcome: "failed" }),
    ...Array(2).fill({ endpoint: "realtime_calls", status: 201, outcome: "completed" }),
  ]);
  for (const text of [system.output("recorder"), system.output("proxy")]) expect(text).not.toContain(KEY);
  const rows = await database.sql<{ text: string }[]>`
    select to_jsonb(c)::text as text from calls c union all select to_jsonb(s)::text from sessions s`;
  for (const { text } of rows) expect(text).not.toContain(KEY);
});
