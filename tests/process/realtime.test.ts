import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import WebSocket from "ws";
import type { TimedEvent } from "#lib/demo/realtime/timed.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type System, startSystem } from "#tests/support/system.ts";
import { type FakeRealtime, sayTimed, startRealtime } from "#tests/support/upstream/realtime.ts";
import {
  VOICE_MODEL,
  VOICE_TOTALS,
  VOICE_TURNS,
  voiceSession,
  voiceSessionResumed,
} from "#tests/support/upstream/voice-session.ts";

// A conversation by voice as it happens: fake provider, proxy, recorder and Postgres, and the recorder dies in the middle of a sentence.

/** Three turns, the second of them cut off. */
const UNTIL_MS = 9400;
const DIES_AT_MS = 6600;
const LIVE_MS = 50;
const firstPart = voiceSession().filter(({ atMs }) => atMs <= UNTIL_MS);

let database: TestDatabase;
let upstream: FakeRealtime;
let system: System;
beforeEach(async () => {
  database = await testDatabase();
  upstream = await startRealtime((connection) => ({ play: connection === 0 ? firstPart : voiceSessionResumed() }));
  system = await startSystem({ database, upstreamUrl: upstream.url });
});
afterEach(async () => {
  await system?.stop();
  await upstream?.stop();
  await database?.drop();
});

/** What a client does in a session, at its times; then it says goodbye. */
async function speak(events: readonly TimedEvent[], whileOpen: () => Promise<void> = async () => {}) {
  const url = `${system.proxyUrl.replace("http", "ws")}/v1/realtime?model=${VOICE_MODEL}`;
  const ws = new WebSocket(url, ["realtime"], { headers: { "x-omnimeter-session": "a voice" } });
  const upgraded = once(ws, "upgrade");
  await once(ws, "open");
  const [{ headers }] = (await upgraded) as [{ headers: Record<string, string> }];
  const watch = watchTimes(ws, events);
  const lastMs = events.at(-1)?.atMs ?? 0;
  await Promise.all([sayTimed(ws, events), sleep(lastMs + 100), whileOpen()]);
  ws.close(1000);
  await once(ws, "close");
  return { id: headers["x-omnimeter-call-id"] as string, ...watch };
}

/** When the client really spoke and heard: on a busy machine nobody keeps to the script. */
function watchTimes(ws: WebSocket, events: readonly TimedEvent[]) {
  const script = events.filter(({ from }) => from === "client").map(({ atMs }) => atMs);
  const sent: number[] = [];
  const heard: number[] = [];
  const send = ws.send.bind(ws) as (data: string) => void;
  ws.send = ((data: string) => {
    sent.push(performance.now());
    send(data);
  }) as typeof ws.send;
  ws.on("message", (data: Buffer) => {
    if (data.includes('"response.output_audio.delta"')) heard.push(performance.now());
  });
  /** From a moment of the script, as it was really spoken, to the next sound of an answer. */
  const latencyAfter = (scriptMs: number): number => {
    const last = script.findLastIndex((atMs) => atMs <= scriptMs);
    const spokenAt = (sent[last] as number) + scriptMs - (script[last] as number);
    return (heard.find((at) => at > spokenAt) as number) - spokenAt;
  };
  return { latencyAfter };
}

const sessions = () =>
  database.sql`
    select id, ended_at is null as open, end_reason, close_code, turns, barge_ins, wasted_usd::float8 as wasted_usd, resumed_from,
      problems, client_messages::int as said, audio_in_ms
    from sessions order by id`;
const turnsOf = (id: string) =>
  database.sql`
    select index, latency_ms, input_end_ms, call_id, barge_in, wasted_ms, wasted_usd::text as wasted_usd
    from turns where session_id = ${id} order by index`;
const callsOf = (id: string) =>
  database.sql`
    select c.id, c.endpoint, c.response_id, c.outcome, trim_scale(sum(l.cost_usd))::text as usd
    from calls c join usage_lines l on l.call_id = c.id where c.parent_id = ${id} group by c.id, c.endpoint, c.response_id, c.outcome, c.seq
    order by c.id`;

const near = (value: unknown, expected: number) =>
  expect(Math.abs((value as number) - expected)).toBeLessThanOrEqual(LIVE_MS);

// On a machine that stands still for a moment the client hears late: then once more, with everything anew.
test("a live session is reported while it goes on, within 50 ms, and a recorder that is killed in it loses and doubles nothing", {
  retry: 2,
  timeout: 60_000,
}, async () => {
  let open: Record<string, unknown>[] = [];
  const first = await speak(firstPart, async () => {
    await vi.waitFor(async () => expect(await system.calls()).not.toEqual([]), { timeout: 6000, interval: 50 });
    open = [...(await sessions())];
    await sleep(DIES_AT_MS - 3500);
    await system.kill("recorder");
    await system.start("recorder");
  });
  expect(open).toMatchObject([{ id: first.id, open: true, turns: 1, end_reason: null }]);
  const second = await speak(voiceSessionResumed());
  await vi.waitFor(async () => expect((await sessions()).map((one) => one.open)).toEqual([false, false]), {
    ...{ timeout: 8000, interval: 50 },
  });
  await system.drained();

  const turns = await turnsOf(first.id);
  expect(turns.map(({ index }) => index)).toEqual([0, 1, 2]);
  for (const [i, { inputEndMs }] of VOICE_TURNS.slice(0, 3).entries())
    near(turns[i]?.latency_ms, first.latencyAfter(inputEndMs));
  expect(turns[1]).toMatchObject({ barge_in: "confirmed", wasted_ms: 2240, wasted_usd: "0.003584" });
  const calls = await callsOf(first.id);
  const responses = calls.filter(({ endpoint }) => endpoint === "realtime");
  expect(responses.map(({ usd }) => usd)).toEqual(VOICE_TURNS.slice(0, 3).flatMap(({ usd }) => usd));
  expect(turns.map(({ call_id }) => call_id)).toEqual(responses.map(({ id }) => id));
  const resumed = await callsOf(second.id);
  expect(resumed.map(({ usd }) => usd)).toEqual([VOICE_TOTALS.resumed.usd]);
  near((await turnsOf(second.id))[0]?.latency_ms, second.latencyAfter(VOICE_TOTALS.resumed.inputEndMs));

  const rows = await sessions();
  expect(rows).toMatchObject([
    {
      id: first.id,
      turns: 3,
      barge_ins: 1,
      end_reason: "client_closed",
      close_code: 1000,
      resumed_from: null,
      problems: [],
    },
    { id: second.id, turns: 1, barge_ins: 0, end_reason: "client_closed", resumed_from: first.id, wasted_usd: 0 },
  ]);
  expect(rows.map(({ said }) => said)).toEqual(upstream.connections.map(({ received }) => received.length));
  // Two exchanges, whatever came out of them.
  expect((await system.equation()).map(({ accepted, stored, holds }) => ({ accepted, stored, holds }))).toEqual([
    { accepted: 2, stored: 2, holds: true },
  ]);
  await vi.waitFor(async () => expect(await system.metric("omnimeter_sessions_stored_total")).toBe(2), {
    ...{ timeout: 8000, interval: 100 },
  });
});
