import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeMonth } from "#db/close-month.ts";
import { foldDays } from "#db/fold-days.ts";
import { foldRatings } from "#db/fold-ratings.ts";
import { matchFeedback } from "#db/match-feedback.ts";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { type Difference, differences } from "#db/referee.ts";
import { retire } from "#db/retention.ts";
import { sealedUntil } from "#db/sealed.ts";
import type { Call } from "#lib/call.ts";
import { addMoney } from "#lib/money.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { MAJORS } from "#tests/support/majors.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { seeded } from "#tests/support/split.ts";
import { callAt, line, MODEL, storedSpool } from "#tests/support/store-calls.ts";

const DAY_MS = 86_400_000;
/** Ends and beginnings of months and weeks; what is late for a closed month is booked on the first of the next. */
const DAYS = ["2026-01-05", "2026-01-31", "2026-02-01", "2026-02-16", "2026-03-01", "2026-03-16"].map((day) =>
  Date.parse(day),
);
const STEPS = 55;
const CHECK_EVERY = 15;
/** The rest is drawn. Facts go only up to what is booked in an open month. */
const PLANNED: Record<number, string> = { 1: "record", 14: "close", 17: "drop", 33: "close", 34: "drop" };

describe.each(MAJORS)("derived tables on PostgreSQL %i", (major) => {
  const LACKING: Call["usage"]["source"][] = ["none", "estimated"];

  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase(major);
  });
  afterAll(() => db?.drop());

  const differing = async (): Promise<Difference[]> =>
    (await Promise.all(DAYS.map((day) => differences(db.sql, day, day + DAY_MS)))).flat();

  it("are what a recount finds, whatever was stored, read again, closed, rebuilt, folded and dropped before", async () => {
    const random = seeded(20261120 + major);
    const one = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    const spools = [await storedSpool(db.sql, "spool-a"), await storedSpool(db.sql, "spool-b")];
    /** What is known of each call that was not too late. */
    const known = new Map<string, { call: Call; spool: number }>();
    let months = ["2026-01-01", "2026-02-01"];
    let sealedMs = 0;
    let before = await sealedDigest(0);
    let words = 0;
    let restated = 0;

    const drawn = async (ms: number, over: Partial<Call> = {}) => {
      const source = one(["reported", "reported", "estimated"] as const);
      const outcome = one(["completed", "completed", "failed", "client_aborted"] as const);
      const names = {
        feature: one(["search", "chat", null]),
        customer: one(["acme", null]),
        session: one(["s1", "s2", null]),
        attempt: one([0, 0, 1]),
        model: one([MODEL, "gpt-9-unheard-of"]),
        unitHash: one(["u1", null]),
      };
      const lines = [
        line({ source, quantity: 1 + Math.floor(random() * 2000) }),
        line({ source, direction: "output" }),
      ];
      return callAt(ms, { outcome, ...names, problems: one([[], ["usage_inconsistent"]]), ...over }, one([lines, []]));
    };
    const store = async (spool: number, calls: Call[]) => {
      await spools[spool]?.(calls);
      for (const call of calls) if (call.startedAt >= sealedMs) known.set(call.id, { call, spool });
    };
    const steps: Record<string, () => Promise<unknown>> = {
      record: async () => {
        const calls = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
          drawn(one(DAYS) + Math.floor(random() * DAY_MS)),
        );
        await store(one([0, 1]), await Promise.all(calls));
      },
      "read again": async () => {
        if (known.size === 0) return;
        const { call, spool } = one([...known.values()]);
        const newer = await drawn(call.startedAt, { id: call.id, decoderVersion: call.decoderVersion + 1 });
        await store(spool, [newer]);
      },
      // A call that tells no usage of its own, or the answer that tells it later, to another recorder.
      "tell later": async () => {
        const lacking = [...known.values()].filter(({ call }) => !call.reread && LACKING.includes(call.usage.source));
        const asked = lacking.length > 0 && random() < 0.7 ? one(lacking) : null;
        if (!asked) {
          const source = one(LACKING);
          const guess = await drawn(one(DAYS), {});
          const lines = source === "none" ? [] : guess.lines.map((each) => ({ ...each, source }));
          await store(one([0, 1]), [{ ...guess, usage: { ...guess.usage, source }, lines }]);
          return;
        }
        const told = await drawn(asked.call.startedAt, {
          responseId: asked.call.responseId,
          reread: true,
          decoderVersion: 9,
        });
        const { model, serviceTier, usage, lines, finishReasons, problems } = told;
        const { projectId, upstream, responseId } = asked.call;
        const facts = { model, serviceTier, usage, lines, finishReasons, problems };
        const restates = { projectId, upstream, objectId: responseId as string, facts };
        const spool = 1 - asked.spool;
        const reread = { ...told, usage: { ...usage, source: "none" as const }, lines: [] };
        const call = { ...reread, origin: { ...reread.origin, spool: spool ? "spool-b" : "spool-a", run: "run" } };
        await spools[spool]?.([], { calls: [{ call, payload: null, words: null, restates }] });
        const [now] = await db.sql`select usage_source as source from calls where id = ${asked.call.id}`;
        if (call.startedAt < sealedMs) return;
        expect(now).toEqual({ source: "reported" });
        restated++;
        known.set(call.id, { call, spool });
        known.set(asked.call.id, { ...asked, call: { ...asked.call, usage, lines } });
      },
      rate: async () => {
        const target = one<{ kind: "call" | "session"; id: string }>([
          { kind: "session", id: one(["s1", "s2"]) },
          ...(known.size ? [{ kind: "call" as const, id: one([...known.keys()]) }] : []),
        ]);
        const said = {
          item: null,
          rater: one(["ann", "bob"]),
          rating: one(["up", "down", null] as const),
          score: null,
        };
        const at = DAYS[5] as number;
        const id = createUuid7(() => at + words++)();
        const feedback = { id, target, ...said, comment: one([null, "so"]), correction: null, labels: [] };
        await spools[0]?.([], { feedback: [{ ...feedback, receivedAtMs: at + words }] });
        await matchFeedback(db.sql, false);
      },
      close: async () => {
        const [month, ...rest] = months;
        if (!month || sealedMs > Date.parse(month)) return;
        await closeMonth(db.sql, { project: "default", month, by: null });
        months = rest;
      },
      fold: () => foldDays(db.sql, Date.UTC(2026, 3, 1)),
      rebuild: async () => {
        const day = one(DAYS);
        const rebuilt = rebuildRollups(db.sql, day, day + DAY_MS);
        if (day < sealedMs) await expect(rebuilt).rejects.toMatchObject({ code: "day_sealed" });
        else await rebuilt;
      },
      drop: async () => {
        await foldRatings(db.sql, Date.UTC(2026, 3, 1));
        await retire(db.sql, { contentDays: 20, factsDays: 15 }, Date.UTC(2026, 3, 1));
        sealedMs = (await sealedUntil(db.sql)) ?? 0;
        before = await sealedDigest(sealedMs);
      },
    };
    const often = [
      "record",
      "record",
      "record",
      "read again",
      "read again",
      "tell later",
      "tell later",
      "tell later",
      "tell later",
      "rate",
      "rate",
      "fold",
      "rebuild",
    ];

    for (let step = 1; step <= STEPS; step++) {
      const name = PLANNED[step] ?? one(often);
      await steps[name]?.();
      if (step % CHECK_EVERY !== 0) continue;
      expect(await differing(), `step ${step}`).toEqual([]);
      expect(await sealedDigest(sealedMs)).toEqual(before);
    }
    expect(sealedMs).toBeGreaterThan(0);
    expect(restated).toBeGreaterThan(2);
    const total = [...known.values()].flatMap(({ call }) => call.lines.map(({ costUsd }) => costUsd ?? "0"));
    const [spent] = await db.sql<{ usd: string; calls: number }[]>`
      select trim_scale(sum(cost_usd + cost_estimated_usd))::text as usd, sum(calls)::int as calls from rollup_spend`;
    expect(spent).toEqual({ usd: total.reduce((sum, usd) => addMoney(sum, usd), "0"), calls: known.size });
  });

  async function sealedDigest(ms: number) {
    const until = new Date(ms).toISOString();
    const digests = ["rollup_calls", "rollup_latency", "rollup_spend"].map(
      (table) =>
        `select '${table}' as name, md5(string_agg(r::text, E'\\n' order by r::text)) as rows from ${table} r where bucket < '${until}'`,
    );
    return [...(await db.sql.unsafe(digests.join(" union all ")))];
  }

  it("that are not are found: a row that is gone, one that is another, one too many", async () => {
    const at = Date.UTC(2026, 8, 3);
    const record = await storedSpool(db.sql, "spool-c");
    const call = await callAt(at + 3_600_000);
    await record([call]);
    await record([], {
      feedback: [
        {
          ...{
            id: createUuid7(() => at)(),
            target: { kind: "call", id: call.id },
            item: null,
            rater: "ann",
            rating: "up",
          },
          ...{ score: null, comment: null, correction: null, labels: [], receivedAtMs: at },
        },
      ],
    });
    await matchFeedback(db.sql, false);
    await foldDays(db.sql, at + 3 * DAY_MS);
    const found = async () =>
      (await differences(db.sql, at, at + 1)).map(({ table, side }) => `${table} ${side}`).sort();
    expect(await found()).toEqual([]);
    const tables = [
      "rollup_calls",
      "rollup_latency",
      "rollup_spend",
      "rollup_spend_days",
      "rollup_spend_upto",
      "rollup_latency_days",
      "rollup_attributed",
      "ratings",
    ];
    for (const table of tables) await db.sql.unsafe(`create table right_${table} as table ${table}`);
    const day = "bucket >= '2026-09-03' and bucket < '2026-09-04'";
    const spoilt: [string, string[]][] = [
      [`update rollup_calls set calls = 2 where ${day}`, ["rollup_calls recomputed", "rollup_calls stored"]],
      [`delete from rollup_latency where ${day}`, ["rollup_latency recomputed"]],
      [
        `update rollup_latency set own = '({1},{7})' where ${day}`,
        ["rollup_latency recomputed", "rollup_latency stored"],
      ],
      [
        `update rollup_spend set cost_usd = cost_usd + 0.000000000001 where ${day}`,
        ["rollup_spend recomputed", "rollup_spend stored"],
      ],
      [
        "insert into rollup_spend_days select * from rollup_spend_days where day = '2026-09-03'",
        ["rollup_spend_days stored"],
      ],
      [
        "update rollup_latency_days set calls = 3 where day = '2026-09-03'",
        ["rollup_latency_days recomputed", "rollup_latency_days stored"],
      ],
      ["delete from rollup_attributed where day = '2026-09-03'", ["rollup_attributed recomputed"]],
      [`delete from ratings where call_id = '${call.id}'`, ["ratings recomputed"]],
    ];
    for (const [statement, expected] of spoilt) {
      const others = ["rollup_spend_days", "rollup_spend_upto", "rollup_latency_days"];
      await db.sql.unsafe(statement);
      const names = await found();
      // A quarter that is wrong makes its folded day look wrong too.
      const own = names.filter((name) => !others.some((other) => name.startsWith(other)));
      expect(statement.includes("_days") ? names : own, statement).toEqual(expected);
      for (const table of tables)
        await db.sql.unsafe(`truncate ${table}; insert into ${table} select * from right_${table}`);
      expect(await found(), statement).toEqual([]);
    }
  });

  it("where values were too many to have names of their own, sums are compared", async () => {
    const at = Date.UTC(2026, 9, 7);
    const record = await storedSpool(db.sql, "spool-d");
    const calls = Array.from({ length: 520 }, (_, i) => callAt(at + i, { feature: `f${(i * 7919) % 520}` }));
    // In two batches the first names are others than in one.
    const all = await Promise.all(calls);
    await record(all.slice(300));
    await record(all.slice(0, 300));
    expect(await differences(db.sql, at, at + 1)).toEqual([]);
    await db.sql`update rollup_spend set calls = calls + 1 where bucket = '2026-10-07' and feature = '(other)'`;
    expect((await differences(db.sql, at, at + 1)).map(({ table }) => table)).toEqual(["rollup_spend", "rollup_spend"]);
  });
});
