import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { dayOf } from "#db/booking.ts";
import { closeMonth } from "#db/close-month.ts";
import { prepareCalls, preparedFor } from "#db/prepare-calls.ts";
import { type RecordBatch, recordBatch } from "#db/record-batch.ts";
import { leaseSpool } from "#db/spool-lease.ts";
import type { RecordedCall } from "#db/stored-calls.ts";
import type { Call } from "#lib/call.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { chatExchange } from "#tests/support/exchange.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.drop());
afterEach(() => vi.useRealTimers());

const spool = `spool-${createUuid7()()}`;
let at = { segment: 0, offset: 0 };

async function newCall(over: Partial<Call> = {}): Promise<RecordedCall> {
  const { call } = await decodeExchange(chatExchange(), {
    projectId: "default",
    contentKey: null,
    knownInstructions: new Set<string>(),
  });
  const changed = { ...call, ...over };
  const origin = { ...call.origin, spool };
  return { call: { ...changed, origin, startedAt: uuid7Ms(changed.id) }, payload: null, words: null };
}

async function record(calls: RecordedCall[], sql = db.sql) {
  await leaseSpool(db.sql, spool, "me", true);
  const high = { segment: 1, offset: at.offset + 1 };
  const batch: RecordBatch = {
    ...{ spool, lease: "me", from: at, low: high, high, run: "run-1", runs: new Map(), calls, feedback: [] },
    sealForSetAside: () => Buffer.alloc(0),
  };
  await recordBatch(sql, batch);
  at = high;
}

const ownDay = (one: RecordedCall) => ({ ...one, bookedOn: null, linesOn: dayOf(one.call.startedAt) });
const counted = async () => {
  const [row] = await db.sql`select sum(calls)::int as calls, trim_scale(sum(cost_usd))::text as usd from rollup_calls`;
  return row as { calls: number; usd: string };
};

test("what was prepared is what storing the calls takes, and what is stored", async () => {
  const calls = [await newCall({ feature: "it's" }), await newCall({ feature: null })];
  prepareCalls(calls);
  const statements = preparedFor(calls, calls.map(ownDay));
  expect(statements?.join()).toContain("it''s");
  const sent: string[] = [];
  const listening = new Proxy(db.sql, {
    get(sql, name) {
      if (name !== "unsafe") return Reflect.get(sql, name);
      return (text: string) => {
        sent.push(text);
        return sql.unsafe(text);
      };
    },
  });
  await record(calls, listening);
  expect(sent.some((text) => text.includes((statements as string[])[0] as string))).toBe(true);
  expect(await counted()).toEqual({ calls: 2, usd: "0.000225" });
});

test("calls that turn out to be stored, to be others, or to be without their content are written anew", async () => {
  const [one, other] = [await newCall(), await newCall()] as const;
  const calls = [one, other];
  prepareCalls(calls);
  expect(preparedFor(calls, [ownDay(one)])).toBeNull();
  expect(preparedFor(calls, [ownDay(other), ownDay(one)])).toBeNull();
  expect(preparedFor(calls, [ownDay(one), ownDay({ ...other, call: { ...other.call } })])).toBeNull();
  expect(preparedFor(calls, [ownDay(one), { ...ownDay(other), bookedOn: "2031-01-01" }])).toBeNull();
  expect(preparedFor([...calls], calls.map(ownDay))).toBeNull();
  const before = (await counted()).calls;
  await record([one]);
  await record(calls);
  expect((await counted()).calls).toBe(before + 2);
});

test("a month that is closed meanwhile gets nothing", async () => {
  const call = await newCall({ id: createUuid7(() => Date.UTC(2024, 2, 9, 10))() });
  const calls = [call];
  prepareCalls(calls);
  await closeMonth(db.sql, { project: "default", month: "2024-03-01", by: null });
  await record(calls);
  const [row] = await db.sql`select booked_on::text as "bookedOn" from calls where id = ${call.call.id}`;
  expect(row).toEqual({ bookedOn: "2024-04-01" });
});

test("what waited for a minute is written anew: a day may be summed by now", async () => {
  const calls = [await newCall()];
  prepareCalls(calls);
  expect(preparedFor(calls, calls.map(ownDay))).not.toBeNull();
  vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ["Date"] });
  expect(preparedFor(calls, calls.map(ownDay))).toBeNull();
});
