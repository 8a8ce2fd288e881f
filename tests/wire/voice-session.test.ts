import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { expired } from "#lib/demo/realtime/events.ts";
import { startProxy, type TestProxy } from "#tests/support/proxy.ts";
import { type FakeRealtime, type RealtimeScript, sayTimed, startRealtime } from "#tests/support/upstream/realtime.ts";
import { VOICE_CLOSE, voiceSessionResumed } from "#tests/support/upstream/voice-session.ts";
import { readMessages, readSpool } from "./read-spool.ts";
import { eventually } from "./setup.ts";

const events = voiceSessionResumed();
const SCRIPTS: RealtimeScript[] = [
  { play: events },
  { play: events, names: "beta", framing: "fragments" },
  { play: events, framing: "bytes" },
  { play: [{ from: "server", atMs: 30, event: expired() }], close: VOICE_CLOSE },
];

let fake: FakeRealtime;
let proxy: TestProxy;
beforeAll(async () => {
  fake = await startRealtime((connection) => SCRIPTS[connection] as RealtimeScript);
  proxy = await startProxy(fake.url);
});
afterAll(async () => {
  await proxy?.stop();
  await fake?.stop();
});

test("sessions by voice that are played in time are recorded whole, and nothing before its time", async () => {
  const sessions = [];
  // One after the other, so that each gets its own script.
  for (let i = 0; i < 3; i++) sessions.push(await opened());
  await Promise.all(
    sessions.map(async ({ ws }) => {
      await sayTimed(ws, events);
      ws.close(1000, "done");
      await once(ws, "close");
    }),
  );
  for (const [index, { id }] of sessions.entries()) {
    await eventually("its end is recorded", () => endOf(id) !== undefined);
    const messages = (readMessages(proxy.dataDir).get(id) ?? []).map(({ text, ...one }) => ({
      ...one,
      event: JSON.parse(text ?? ""),
    }));
    for (const from of ["client", "server"] as const) {
      const said = messages.filter((one) => one.from === from);
      const beta = index === 1 && from === "server";
      const played = events.filter(({ from: by, event }) => by === from && !(beta && event.type === DONE));
      expect(said.map(({ event }) => event.type)).toEqual(
        played.map(({ event }) => (beta ? inBeta(event.type) : event.type)),
      );
      expect(said.filter(({ atMs }, i) => atMs < (played[i]?.atMs ?? 0) - TIMER_MS)).toEqual([]);
    }
    const deltas = messages.filter(({ event }) => /audio\.delta$/.test(event.type));
    // Five times 200 ms and once 150 ms, 64 characters each millisecond.
    expect(deltas.map(({ event }) => event.delta)).toEqual([...Array(5).fill("elided:12800"), "elided:9600"]);
    expect(endOf(id)).toMatchObject({ ending: "completed", socket: { closeCode: 1000, closedBy: "client" } });
  }
});

test("a session that expires is recorded as closed by the provider, with its code", async () => {
  const { ws, id } = await opened();
  const [code, reason] = await once(ws, "close");
  expect({ code, reason: String(reason) }).toEqual(VOICE_CLOSE);
  await eventually("its end is recorded", () => endOf(id) !== undefined);
  expect(readMessages(proxy.dataDir).get(id)).toMatchObject([
    { from: "server", text: expect.stringContaining("session_expired") },
  ]);
  expect(endOf(id)).toMatchObject({ ending: "completed", socket: { closeCode: 1001, closedBy: "server" } });
});

const DONE = "conversation.item.done";
/** A timer may be that much early. */
const TIMER_MS = 2;

const inBeta = (type: string): string =>
  type
    .replace("conversation.item.added", "conversation.item.created")
    .replace("response.output_audio", "response.audio");

async function opened() {
  const ws = new WebSocket(`${proxy.url.replace("http", "ws")}/v1/realtime?model=gpt-4o-realtime-preview`);
  const [[answer]] = await Promise.all([once(ws, "upgrade"), once(ws, "open")]);
  return { ws, id: answer.headers["x-omnimeter-call-id"] as string };
}

function endOf(id: string) {
  return readSpool(proxy.dataDir).find((one) => one.id === id)?.end ?? undefined;
}
