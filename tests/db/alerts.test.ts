import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addAlertRule, changeAlertThreshold, removeAlertRule, switchAlertRule } from "#db/alert-rules.ts";
import { ALERTS_JOB, checkAlerts } from "#db/alerts.ts";
import { alertsCheckedMs, openAlertIds } from "#db/queries/settings-page.ts";
import { runJob } from "#db/run-job.ts";
import { ALERT_RULES_MAX } from "#lib/alert.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import { ago, alertRulesOf, calls, MINUTE, NOW, nextId } from "#tests/support/alert-rules.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { seedSpent } from "#tests/support/seed-spent.ts";

let db: TestDatabase;
let of: ReturnType<typeof alertRulesOf>;
beforeAll(async () => {
  db = await testDatabase();
  of = alertRulesOf(db.sql);
});
afterAll(() => db?.drop());
beforeEach(() => of.empty());

describe("an alert", () => {
  const lag = (seconds: number, nowMs: number) => db.sql`
    insert into spool_positions (spool, low_segment, low_offset, high_segment, high_offset, run, totals, updated_at)
    values ('a', 0, 0, 0, 0, '', '{}', ${new Date(nowMs - seconds * 1000).toISOString()}::timestamptz)
    on conflict (spool) do update set updated_at = excluded.updated_at`;

  it("stays one while its value hovers, and closes at nine tenths of its threshold", async () => {
    await of.rule("data_lag", 100);
    const states: unknown[] = [];
    for (const [i, seconds] of [100, 101, 150, 99, 120, 91, 90, 95, 101].entries()) {
      const nowMs = NOW + i * MINUTE;
      await lag(seconds, nowMs);
      await of.check(nowMs);
      const alert = (await of.theRule())?.alert;
      states.push(alert && [alert.openedAt.getTime() - NOW, alert.lastValue, alert.worstValue]);
    }
    expect(states).toEqual([
      null,
      [MINUTE, 101, 101],
      [MINUTE, 150, 150],
      [MINUTE, 99, 150],
      [MINUTE, 120, 150],
      [MINUTE, 91, 150],
      null,
      null,
      [8 * MINUTE, 101, 101],
    ]);
    expect(await of.history()).toMatchObject([
      { openedAt: new Date(NOW + 8 * MINUTE), closedAt: null, worstValue: 101 },
      { openedAt: new Date(NOW + MINUTE), closedAt: new Date(NOW + 6 * MINUTE), worstValue: 150, threshold: 100 },
    ]);
  });

  it("has the time of its opening in its id", async () => {
    await of.rule("data_lag", 1);
    await lag(5, NOW);
    await of.check();
    expect(uuid7Ms((await openAlertIds(db.sql, "default"))[0] as string)).toBe(NOW);
  });

  it("stays as it is while its value is unknown, which is said", async () => {
    await of.rule("error_rate", 0.5);
    await seedSpent(
      db.sql,
      calls(20, () => ({ outcome: "failed" })),
    );
    await of.check();
    const before = (await of.theRule())?.alert;
    expect(before).not.toBeNull();
    // An hour later there are no calls in the window.
    await of.check(NOW + 60 * MINUTE);
    expect(await of.theRule()).toMatchObject({
      value: null,
      calls: 0,
      checkedAt: new Date(NOW + 60 * MINUTE),
      alert: before,
    });
  });

  it("ends when its rule is changed, switched off or deleted, and stays in the history", async () => {
    const id = await of.rule("data_lag", 10);
    const next = (() => {
      let nowMs = NOW;
      return async () => {
        nowMs += MINUTE;
        await lag(50, nowMs);
        await of.check(nowMs);
      };
    })();
    await next();
    expect(await changeAlertThreshold(db.sql, "default", id, "error_rate", 0.5)).toBe(false);
    expect((await of.theRule())?.alert).not.toBeNull();
    expect(await changeAlertThreshold(db.sql, "default", id, "data_lag", 20)).toBe(true);
    expect(await of.theRule()).toMatchObject({ threshold: 20, alert: null });
    await next();
    expect((await of.theRule())?.alert).not.toBeNull();
    expect(await switchAlertRule(db.sql, "default", id, false)).toBe(true);
    expect(await of.theRule()).toMatchObject({ enabled: false, checkedAt: null, value: null, alert: null });
    await next();
    expect(await of.theRule()).toMatchObject({ checkedAt: null, alert: null });
    expect(await switchAlertRule(db.sql, "default", id, true)).toBe(true);
    await next();
    expect((await of.theRule())?.alert).not.toBeNull();
    expect(await removeAlertRule(db.sql, "default", id)).toBe(true);
    expect(await of.rules()).toEqual([]);
    const past = await of.history();
    expect(past.map(({ threshold, closedAt }) => [threshold, closedAt !== null])).toEqual([
      [20, true],
      [20, true],
      [10, true],
    ]);
    expect(await removeAlertRule(db.sql, "default", id)).toBe(false);
    expect(await removeAlertRule(db.sql, "somebody else's", nextId())).toBe(false);
  });
});

describe("checking", () => {
  it("looks at each rule every 30 seconds, at a new one at once", async () => {
    await of.rule("unpriced_calls", 5);
    await of.check(NOW);
    const later = await of.rule("unpriced_calls", 6);
    await of.check(NOW + 29_999);
    expect((await of.rules()).map(({ checkedAt }) => checkedAt?.getTime())).toEqual([NOW, NOW + 29_999]);
    await of.check(NOW + 30_000);
    expect((await of.rules()).map(({ checkedAt }) => checkedAt?.getTime())).toEqual([NOW + 30_000, NOW + 29_999]);
    expect((await of.rules())[1]?.id).toBe(later);
    expect(await alertsCheckedMs(db.sql)).not.toBeNull();
  });

  it("goes on when a clock that was ahead is right again", async () => {
    await of.rule("unpriced_calls", 5);
    await of.check(NOW + 60 * MINUTE);
    await of.check(NOW);
    expect((await of.theRule())?.checkedAt).toEqual(new Date(NOW));
  });

  it("by two recorders at once is done by one of them", async () => {
    await seedSpent(
      db.sql,
      calls(1, () => ({ costUsd: null, tokens: [0, 0, 1] })),
    );
    for (let i = 0; i < 5; i++) await of.rule("unpriced_calls", 0);
    const ran = await Promise.all([of.check(), of.check(), of.check()]);
    expect(ran).toContain(true);
    expect(await of.history()).toHaveLength(5);
  });

  it("writes nothing once its lease is lost", async () => {
    await seedSpent(
      db.sql,
      calls(1, () => ({ costUsd: null, tokens: [0, 0, 1] })),
    );
    await of.rule("unpriced_calls", 0);
    await runJob(db.sql, { name: ALERTS_JOB, holder: "old", leaseMs: 60_000 }, async (fence) => {
      await db.sql`update jobs set fence = fence + 1, locked_by = 'new'`;
      await checkAlerts(db.sql, NOW, fence);
    });
    expect(await of.theRule()).toMatchObject({ checkedAt: null, alert: null });
    expect(await of.history()).toEqual([]);
  });

  it("goes on when one rule cannot be measured in time, and says why it could not", async () => {
    const slow = await of.rule("spend_per_day", 1);
    const fine = await of.rule("data_lag", 0);
    const { sql } = db;
    let done = () => {};
    const held = sql.begin(async (tx) => {
      await tx`lock table rollup_spend, usage_lines in access exclusive mode`;
      await new Promise<void>((resolve) => {
        done = resolve;
      });
    });
    await expect
      .poll(async () => (await sql`select 1 from pg_locks where mode = 'AccessExclusiveLock'`).length)
      .toBeGreaterThan(0);
    await of.check();
    done();
    await held;
    const found = await of.rules();
    expect(found.find(({ id }) => id === slow)).toMatchObject({
      checkedAt: new Date(NOW),
      value: null,
      problem: "it took longer than 2 s (a shorter window takes less)",
      alert: null,
    });
    expect(found.find(({ id }) => id === fine)).toMatchObject({ checkedAt: new Date(NOW), problem: null });
    await of.check(NOW + MINUTE);
    expect((await of.rules()).map(({ problem }) => problem)).toEqual([null, null]);
  });

  it("leaves a rule alone that was changed while it was measured", async () => {
    const id = await of.rule("spend_per_day", 1);
    await seedSpent(db.sql, [{ at: ago(MINUTE), costUsd: "5", tokens: [0, 0, 1] }]);
    const { sql } = db;
    let done = () => {};
    const held = sql.begin(async (tx) => {
      await tx`lock table rollup_spend, usage_lines in access exclusive mode`;
      await new Promise<void>((resolve) => {
        done = resolve;
      });
    });
    const waiting = async () =>
      (await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
        .length;
    await expect
      .poll(async () => (await sql`select 1 from pg_locks where mode = 'AccessExclusiveLock'`).length)
      .toBeGreaterThan(0);
    const checking = of.check();
    await expect.poll(waiting).toBeGreaterThan(0);
    await changeAlertThreshold(sql, "default", id, "spend_per_day", 10);
    done();
    await Promise.all([held, checking]);
    expect(await of.theRule()).toMatchObject({ threshold: 10, checkedAt: null, alert: null });
    await of.check();
    expect(await of.theRule()).toMatchObject({ value: 5, alert: null });
  });
});

it("a project has at most 100 rules", async () => {
  for (let i = 0; i < ALERT_RULES_MAX; i++) await of.rule("data_lag", i);
  const wish = { measure: "data_lag", threshold: 1, scope: {}, windowMinutes: 60 } as const;
  expect(await addAlertRule(db.sql, "default", nextId(), wish)).toBe(false);
  expect(await addAlertRule(db.sql, "another", nextId(), wish)).toBe(true);
  expect(await of.rules()).toHaveLength(ALERT_RULES_MAX);
  await removeAlertRule(db.sql, "default", (await of.rules())[0]?.id as string);
  expect(await addAlertRule(db.sql, "default", nextId(), wish)).toBe(true);
});
