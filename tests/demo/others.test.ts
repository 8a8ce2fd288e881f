import { expect, test } from "vitest";
import type { Call } from "#lib/call.ts";
import { callsOfCompany } from "#lib/demo/company.ts";
import type { MadeSession } from "#lib/demo/voice/voice-calls.ts";

const UNTIL_MS = Date.parse("2026-11-20T16:00:00Z");
const OPTIONS = { seed: 5, untilMs: UNTIL_MS, days: 40, calls: 30_000 };
const DAY_MS = 86_400_000;

const calls: Call[] = [];
const sessions: MadeSession[] = [];
for await (const batch of callsOfCompany(OPTIONS)) {
  calls.push(...batch.calls.filter((_, n) => batch.turns[n] === null));
  sessions.push(...batch.sessions);
}
const turns = sessions.flatMap((one) => one.turns);
const of = (...endpoints: string[]) => calls.filter(({ endpoint }) => endpoints.includes(endpoint));

test("about three calls in a hundred are of other endpoints, all of which are made", () => {
  const single = calls.filter(({ endpoint }) => !endpoint.startsWith("realtime") && !endpoint.startsWith("batch"));
  expect(single).toHaveLength(900);
  expect(new Set(calls.map(({ endpoint }) => endpoint))).toEqual(
    new Set([
      ...["audio_transcriptions", "audio_speech", "embeddings", "moderations", "images_generations", "responses"],
      ...["batches", "batch", "realtime", "realtime_transcription"],
    ]),
  );
});

test("nothing in them is odd, unpriced or without the usage that its provider states", () => {
  const odd = calls.flatMap(({ endpoint, problems }) => problems.map((problem) => `${endpoint} ${problem}`));
  expect(new Set(odd)).toEqual(new Set(["responses search_content_added"]));
  expect(calls.filter(({ lines }) => lines.some(({ costUsd }) => costUsd === null))).toEqual([]);
  const billed = of("embeddings", "images_generations", "responses", "realtime", "realtime_transcription", "batch");
  const unknown = billed.filter(({ outcome, usage }) => outcome === "completed" && usage.source !== "reported");
  expect(unknown).toEqual([]);
});

test("fees, characters and seconds are billed beside tokens", () => {
  const units = new Set(calls.flatMap(({ lines }) => lines.map(({ unit, product }) => product ?? unit)));
  expect([...units]).toEqual(
    expect.arrayContaining(["token", "second", "character", "tool:web_search", "tool:file_search"]),
  );
});

test("a batch is handed in once a night, and what it used is told when it is over, at half the price", () => {
  const ended = of("batch");
  expect(of("batches")).toHaveLength(2 * ended.length);
  expect(ended).toHaveLength(40);
  for (const { startedAt, lines, serviceTier, parentId, countsFor } of ended) {
    expect(startedAt % DAY_MS).toBeLessThan(5 * 3_600_000);
    expect([serviceTier, parentId !== null, countsFor !== null]).toEqual(["batch", true, true]);
    expect(lines.map(({ price }) => price?.usd)).toEqual(["0.075", "0.3"]);
  }
});

test("sessions by voice are of the last thirty days, end in every way, and change their model once", () => {
  expect(Math.min(...sessions.map(({ session }) => session.startedAt))).toBeGreaterThan(UNTIL_MS - 31 * DAY_MS);
  const ends = Map.groupBy(sessions, ({ session }) => session.endReason);
  expect([...ends.keys()].sort()).toEqual(["client_closed", "expired", "reset"]);
  expect(ends.get("client_closed")?.length).toBeGreaterThan(0.8 * sessions.length);
  const models = [...sessions]
    .sort((a, b) => a.session.startedAt - b.session.startedAt)
    .map(({ session }) => session.model);
  const changes = models.filter((model, n) => n > 0 && model !== models[n - 1]);
  expect([models[0], ...changes]).toEqual(["gpt-4o-realtime-preview-2024-12-17", "gpt-realtime"]);
  expect(sessions.flatMap(({ session }) => session.problems)).toEqual([]);
});

test("a connection that is lost is taken up again within seconds, under the application's name for it", () => {
  const lost = sessions.filter(({ session }) => session.endReason === "reset");
  const byId = new Map(sessions.map((one) => [one.session.id, one]));
  const resumed = sessions.filter(({ resumedFrom }) => resumedFrom !== null);
  expect(resumed.map(({ resumedFrom }) => resumedFrom).sort()).toEqual(lost.map(({ session }) => session.id).sort());
  for (const { session, resumedFrom } of resumed) {
    const before = byId.get(resumedFrom ?? "")?.session;
    expect(before?.session).toBe(session.session);
    const afterMs = session.startedAt - (before?.endedAt ?? 0);
    expect(afterMs).toBeGreaterThan(1000);
    expect(afterMs).toBeLessThan(12_000);
  }
});

test("turns are answered in about half a second, with a tool later; a part of them is interrupted, some by nobody", () => {
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number;
  const latency = (kind: string) => median(turns.flatMap((turn) => (turn.kind === kind ? (turn.latencyMs ?? []) : [])));
  expect(latency("server_vad")).toBeGreaterThan(300);
  expect(latency("server_vad")).toBeLessThan(800);
  expect(latency("tool")).toBeGreaterThan(latency("server_vad") + 500);
  const cut = turns.filter(({ bargeIn }) => bargeIn === "confirmed");
  expect(cut.length / turns.length).toBeGreaterThan(0.1);
  expect(cut.length / turns.length).toBeLessThan(0.25);
  for (const { audioMs, heardMs, wastedMs, wastedUsd, reactionMs } of cut) {
    expect((heardMs ?? 0) + (wastedMs ?? 0)).toBeCloseTo(audioMs ?? 0, 6);
    expect(wastedMs === 0 ? null : Number(wastedUsd)).not.toBe(0);
    expect(reactionMs).toBeLessThan(200);
  }
  expect(turns.some(({ bargeIn }) => bargeIn === "false")).toBe(true);
  expect(turns.some(({ status, reason }) => status === "cancelled" && reason === "turn_detected")).toBe(true);
  for (const { session, turns: own } of sessions) {
    const whole = own.reduce((sum, { wastedMs }) => sum + (wastedMs ?? 0), 0);
    expect(session.wastedMs).toBeCloseTo(whole, 6);
    expect(own.length).toBeLessThanOrEqual(11);
  }
});

test("every answer of a session is a call, for the same guest, and the longer it goes on the more comes from the cache", () => {
  const bySession = Map.groupBy(of("realtime"), ({ parentId }) => parentId);
  expect(bySession.size).toBe(sessions.length);
  for (const { session, turns: own } of sessions) {
    const answers = bySession.get(session.id) as Call[];
    const ids = new Set(answers.map(({ id }) => id));
    expect(own.every(({ callId }) => callId === null || ids.has(callId))).toBe(true);
    expect(new Set(answers.map(({ customer }) => customer))).toEqual(new Set([session.customer]));
    const cached = answers.map(({ usage }) => usage.cachedTokens ?? 0);
    expect(cached.every((tokens, n) => n === 0 || tokens >= (cached[n - 1] as number) - 64)).toBe(true);
    if (answers.length > 3) expect(cached.at(-1)).toBeGreaterThan(0);
  }
});
