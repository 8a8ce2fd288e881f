import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Call } from "#lib/call.ts";
import { type Batch, callsOfCompany } from "#lib/demo/company.ts";
import type { Judged } from "#lib/demo/judge.ts";
import { UNKNOWN_MODEL } from "#lib/demo/planted.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import { wasteOf } from "#lib/waste.ts";

const UNTIL_MS = Date.parse("2026-11-20T16:00:00Z");
const OPTIONS = { seed: 1, untilMs: UNTIL_MS, days: 60, calls: 30_000 };
const SMALL = { ...OPTIONS, calls: 4000 };

async function gather(options: typeof OPTIONS, most = Number.POSITIVE_INFINITY): Promise<Batch[]> {
  const batches: Batch[] = [];
  let count = 0;
  for await (const batch of callsOfCompany(options)) {
    batches.push(batch);
    count += batch.calls.length;
    if (count >= most) break;
  }
  return batches;
}

const all = await gather(OPTIONS);
const calls = all.flatMap((batch) => batch.calls);
const feedback = all.flatMap((batch) => batch.feedback);
const hashOf = (batches: Batch[]) =>
  createHash("sha256")
    .update(JSON.stringify(batches.map((batch) => [batch.calls, batch.sessions, batch.feedback])))
    .digest("hex");

test("the same seed makes the same company to the last byte, another seed another one", async () => {
  const [first, again, other] = [
    await gather(SMALL, 2000),
    await gather(SMALL, 2000),
    await gather({ ...SMALL, seed: 2 }, 2000),
  ];
  expect(hashOf(again)).toBe(hashOf(first));
  expect(hashOf(other)).not.toBe(hashOf(first));
});

test("there are as many calls as were asked for, in the order of their start, each in its day and in the period", () => {
  expect(calls).toHaveLength(30_000);
  expect(new Set(calls.map(({ id }) => id)).size).toBe(30_000);
  expect(calls.every(({ id, startedAt }) => uuid7Ms(id) === startedAt)).toBe(true);
  expect(calls.every((call, n) => n === 0 || (calls[n - 1] as Call).id < call.id)).toBe(true);
  expect((calls[0] as Call).startedAt).toBeGreaterThanOrEqual(UNTIL_MS - 60 * 86_400_000);
  expect((calls.at(-1) as Call).startedAt).toBeLessThan(UNTIL_MS);
  for (const { dayMs, calls: ofDay } of all)
    expect(ofDay.every(({ startedAt }) => startedAt >= dayMs && startedAt < dayMs + 86_400_000)).toBe(true);
  expect(calls.map(({ origin }) => origin.seq)).toEqual(calls.map((_, n) => n + 1));
});

test("one call starts in the last millisecond of a day, and one in the first of the next", () => {
  const midnight = Date.parse("2026-11-17T00:00:00Z");
  const at = (ms: number) => calls.filter(({ startedAt }) => startedAt === ms).map(({ outcome }) => outcome);
  expect(at(midnight - 1)).toEqual(["completed"]);
  expect(at(midnight)).toEqual(["completed"]);
});

test("seven calls of October are unpriced, and only those of the model that nobody knows are", () => {
  const unpriced = calls.filter(({ lines }) => lines.some(({ costUsd }) => costUsd === null));
  expect(new Set(unpriced.map(({ model }) => model))).toEqual(new Set([UNKNOWN_MODEL]));
  expect(unpriced.filter(({ startedAt }) => new Date(startedAt).getUTCMonth() === 9)).toHaveLength(7);
  expect(unpriced).toHaveLength(12);
});

test("thumbs of support_reply fall from 17 of 20 to 79 of 100 with version 13; rewrite has 50 ratings a version at most", () => {
  const thumbs = thumbsByVersion();
  const v12 = thumbs.get("support_reply 12") as boolean[];
  const v13 = thumbs.get("support_reply 13") as boolean[];
  expect(v12.length).toBeGreaterThan(500);
  expect(v13.length).toBeGreaterThan(300);
  expect(ups(v12.slice(0, 500))).toBe(425);
  expect(ups(v13.slice(0, 300))).toBe(237);
  expect(thumbs.get("rewrite 2")).toHaveLength(50);
  expect(ups(thumbs.get("rewrite 2") as boolean[])).toBe(45);
  expect((thumbs.get("rewrite 3") as boolean[]).length).toBeLessThanOrEqual(50);
});

const ups = (thumbs: boolean[]) => thumbs.filter((up) => up).length;

/** In the order of the calls; of those who think again the last word. */
function thumbsByVersion(): Map<string, boolean[]> {
  const byId = new Map(calls.map((call) => [call.id, call]));
  const last = new Map<string, Judged>();
  for (const judged of feedback) if (judged.callId && judged.feedback.rating) last.set(judged.callId, judged);
  const thumbs = new Map<string, boolean[]>();
  for (const [id, { feedback: said }] of last) {
    const { template, templateVersion } = byId.get(id) as Call;
    const key = `${template} ${templateVersion}`;
    thumbs.set(key, [...(thumbs.get(key) ?? []), said.rating === "up"]);
  }
  return thumbs;
}

test("the voice of one snapshot is slow on the 18th from 14:05 to 14:35, and nothing else is", () => {
  const [from, to] = ["2026-11-18T14:05:00Z", "2026-11-18T14:35:00Z"].map(Date.parse) as [number, number];
  const isIn = ({ startedAt }: Call) => startedAt >= from && startedAt < to;
  const isNear = ({ startedAt }: Call) => startedAt >= from - 1_800_000 && startedAt < to + 1_800_000;
  const firstAudio = (pick: (call: Call) => boolean) =>
    p95(calls.filter(pick).flatMap(({ timings }) => timings.firstAudioMs ?? []));
  const slow = (call: Call) => call.model === "gpt-audio-2025-08-28";
  const other = (call: Call) => call.model === "gpt-audio-1.5";
  expect(calls.filter((call) => slow(call) && isIn(call)).length).toBeGreaterThan(20);
  const usual = firstAudio((call) => slow(call) && !isIn(call));
  expect(firstAudio((call) => slow(call) && isIn(call))).toBeGreaterThan(2 * usual);
  expect(firstAudio((call) => slow(call) && isNear(call) && !isIn(call))).toBeLessThan(1.5 * usual);
  expect(firstAudio((call) => other(call) && isIn(call))).toBeLessThan(1.5 * firstAudio(other));
});

const p95 = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length * 0.95)] as number;

test("the alias gpt-4o moves to another snapshot once", () => {
  const served = calls
    .filter(({ requestModel, model }) => requestModel === "gpt-4o" && model)
    .map(({ model }) => model);
  const changes = served.filter((model, n) => n > 0 && model !== served[n - 1]);
  expect(served[0]).toBe("gpt-4o-2024-08-06");
  expect(changes).toEqual(["gpt-4o-2024-11-20"]);
});

test("every kind of ending, every modality, tools, sessions, retries and unlabelled calls occur", () => {
  const outcomes = new Set(calls.map(({ outcome }) => outcome));
  expect([...outcomes].sort()).toEqual(["client_aborted", "completed", "failed", "interrupted"]);
  // A part of a session or of a batch has none.
  expect(new Set(calls.map(({ status }) => status))).toEqual(new Set([200, 429, 500, null]));
  expect(new Set(calls.flatMap(({ lines }) => lines.map(({ modality }) => modality)))).toEqual(
    new Set(["text", "image", "audio", "none"]),
  );
  expect(calls.some(({ toolCalls }) => toolCalls.length > 0)).toBe(true);
  expect(calls.some(({ feature }) => feature === "Café — «α»")).toBe(true);
  expect(new Set(calls.map(({ environment }) => environment))).toEqual(new Set(["production", "staging"]));
  expect(calls.filter(({ usage }) => usage.source === "estimated").length).toBeGreaterThan(50);
  expect(new Set(calls.flatMap(({ template, unitHash }) => (template === null && unitHash) || [])).size).toBe(5);
  expect(new Set(calls.flatMap(({ template }) => template ?? [])).size).toBe(18);
  expect(new Set(calls.flatMap(({ customer }) => customer ?? [])).size).toBe(40);
});

test("what failed is often tried again as the same operation, within seconds, and some answers are made twice", () => {
  const again = calls.filter(({ attempt }) => attempt === 1);
  const byOperation = Map.groupBy(calls, ({ operationId }) => operationId);
  for (const second of again) {
    const [first, ...others] = byOperation.get(second.operationId) as Call[];
    expect(others).toEqual([second]);
    expect(first).toMatchObject({ attempt: 0, customer: second.customer, template: second.template });
    expect(["failed", "completed"]).toContain(first?.outcome);
    expect(second.startedAt - (first as Call).startedAt).toBeLessThan(60_000);
  }
});

test("a believable part of the calls bought nothing", () => {
  const byOperation = Map.groupBy(calls, ({ operationId }) => operationId);
  const shareOf = (part: (call: Call) => boolean) => calls.filter(part).length / calls.length;
  const superseded = shareOf((call) => wasteOf(call, byOperation.get(call.operationId) ?? []) === "superseded");
  expect(shareOf(({ attempt }) => attempt > 0)).toBeGreaterThan(0.01);
  expect(shareOf(({ attempt }) => attempt > 0)).toBeLessThan(0.02);
  expect(shareOf(({ outcome }) => outcome === "client_aborted")).toBeGreaterThan(0.007);
  expect(shareOf(({ outcome }) => outcome === "client_aborted")).toBeLessThan(0.013);
  expect(superseded).toBeGreaterThan(0.002);
  expect(superseded).toBeLessThan(0.004);
});

test("feedback holds thumbs, scores, corrections, second thoughts, a formula, and some of calls that never come", () => {
  const said = feedback.map((one) => one.feedback);
  expect(said.some(({ comment }) => comment?.startsWith("=HYPERLINK("))).toBe(true);
  expect(said.some(({ score }) => score !== null)).toBe(true);
  expect(said.some(({ correction }) => correction !== null)).toBe(true);
  expect(said.some(({ labels }) => labels.length > 0)).toBe(true);
  expect(new Set(said.map(({ target }) => target.kind))).toEqual(new Set(["call", "response", "session"]));
  const ids = new Set(calls.map(({ id }) => id));
  expect(feedback.filter(({ callId }) => callId !== null).every(({ callId }) => ids.has(callId as string))).toBe(true);
  expect(feedback.filter((one) => one.callId === null && one.feedback.target.kind !== "session")).toHaveLength(5);
  const targets = said.map(({ target }) => target.id);
  expect(targets.length).toBeGreaterThan(new Set(targets).size);
});

test("the cached share of support_reply grows", () => {
  const replies = calls.filter(({ template, usage }) => template === "support_reply" && usage.source === "reported");
  const share = (some: Call[]) =>
    some.reduce((sum, { usage }) => sum + (usage.cachedTokens ?? 0), 0) /
    some.reduce((sum, { usage }) => sum + (usage.inputTokens ?? 0), 0);
  const quarter = Math.floor(replies.length / 4);
  expect(share(replies.slice(-quarter))).toBeGreaterThan(1.3 * share(replies.slice(0, quarter)));
});
