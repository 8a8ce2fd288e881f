import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Fence, runJob, whileHeld } from "#db/run-job.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

describe.each([18, 15] as const)("a job on PostgreSQL %i", (major) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase(major);
    await db.sql`create table written (by text)`;
  });
  afterAll(() => db?.drop());
  beforeEach(() => db.sql`truncate jobs, written`);

  const run = (holder: string, work: (fence: Fence) => Promise<unknown>, leaseMs = 60_000) =>
    runJob(db.sql, { name: "tidy", holder, leaseMs }, work);
  /** As every write of a job is made. */
  const write = (by: string, fence: Fence) => db.sql`
    with held as materialized (${whileHeld(db.sql, fence)})
    insert into written select ${by} where exists (select from held)`;
  const written = async () => (await db.sql<{ by: string }[]>`select by from written order by 1`).map(({ by }) => by);
  const row = async () => (await db.sql`select * from jobs`)[0];
  const expire = () => db.sql`update jobs set locked_until = now() - interval '1 millisecond'`;
  function gate() {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { open, opened };
  }

  it("of several that come at once is run by one", async () => {
    const done = gate();
    let runs = 0;
    const all = Array.from({ length: 5 }, (_, i) =>
      run(`r${i}`, async () => {
        runs++;
        await done.opened;
      }),
    );
    const answers: boolean[] = [];
    for (const one of all) one.then((ran) => answers.push(ran));
    // Four answers come while the fifth still works.
    await expect.poll(() => answers).toEqual([false, false, false, false]);
    done.open();
    await Promise.all(all);
    expect(answers).toEqual([false, false, false, false, true]);
    expect(runs).toBe(1);
  });

  it("is free again when it is done, and says when that was", async () => {
    await run("a", async (fence) => {
      expect(fence).toEqual({ job: "tidy", number: 1 });
      expect(await row()).toMatchObject({ locked_by: "a", last_finished_at: null });
    });
    expect(await row()).toMatchObject({ locked_by: null, locked_until: null, last_finished_at: expect.any(Date) });
    expect(await run("b", (fence) => write("b", fence))).toBe(true);
    expect(await row()).toMatchObject({ fence: 2 });
    expect(await written()).toEqual(["b"]);
  });

  it("that fails is let go, throws its error, and has not finished", async () => {
    const failing = run("a", () => Promise.reject(new Error("the disk is full")));
    await expect(failing).rejects.toThrow("the disk is full");
    expect(await row()).toMatchObject({ locked_by: null, last_finished_at: null });
    expect(await run("b", async () => {})).toBe(true);
  });

  it("whose holder died can be taken when its lease is over, and not before", async () => {
    await db.sql`insert into jobs values ('tidy', 'dead', now() + interval '1 hour', 7, null)`;
    expect(await run("b", (fence) => write("b", fence))).toBe(false);
    await expire();
    expect(await run("b", (fence) => write("b", fence))).toBe(true);
    expect(await row()).toMatchObject({ fence: 8, locked_by: null });
    expect(await written()).toEqual(["b"]);
  });

  it("that was taken over is not written for by its old holder, nor let go by it", async () => {
    const second = gate();
    let taken: Promise<boolean> = Promise.resolve(false);
    await run("old", async (fence) => {
      await write("old, in time", fence);
      await expire();
      // Nobody has taken it yet: it is still the old holder's.
      await write("old, late", fence);
      const began = gate();
      taken = run("new", async (mine) => {
        began.open();
        await second.opened;
        await write("new", mine);
      });
      await began.opened;
      await write("old, too late", fence);
    });
    expect(await row()).toMatchObject({ locked_by: "new", last_finished_at: null });
    second.open();
    expect(await taken).toBe(true);
    expect(await written()).toEqual(["new", "old, in time", "old, late"]);
  });

  it("is not taken between the question whether it is held and the write", async () => {
    const order: string[] = [];
    await run("old", async (fence) => {
      await expire();
      let taking: Promise<unknown> = Promise.resolve();
      await db.sql.begin(async (tx) => {
        await tx`${whileHeld(tx, fence)}`;
        taking = run("new", async () => order.push("taken"));
        await expect.poll(waiting).toBe(1);
        order.push("written");
      });
      await taking;
    });
    expect(order).toEqual(["written", "taken"]);
  });

  /** Connections that wait for a lock. */
  const waiting = async () => {
    const found = await db.sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return found.length;
  };
});
