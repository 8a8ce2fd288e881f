import { NextRequest } from "next/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { database } from "#app/_data/database.ts";
import { cancelReading, readInParts, readWhole } from "#app/_data/read-in-parts.ts";
import { POST as cancelRoute } from "#app/reads/cancel/route.ts";
import { GET as csv } from "#app/spend/csv/route.ts";
import { cancelReads } from "#db/cancel-reads.ts";
import { open } from "#db/connect.ts";
import { READER, StoreBusy, snapshot } from "#db/queries/snapshot.ts";
import { openRequest, REQUEST_HEADER } from "#lib/open-requests.ts";
import { seedBooked } from "#tests/support/booked-calls.ts";
import { useDatabase } from "#tests/support/dashboard-database.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

let request = new Headers();
vi.mock("next/headers", () => ({ headers: async () => request }));

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
  await seedBooked(db.sql);
  await useDatabase(db.url);
});
beforeEach(() => {
  request = new Headers();
});
afterAll(async () => {
  await useDatabase("");
  await db?.drop();
});

/** Names of connections that are in a transaction of a dashboard. */
const reading = async (): Promise<string[]> => {
  const rows = await db.sql<{ name: string }[]>`
    select application_name as name from pg_stat_activity
    where datname = current_database() and starts_with(application_name, ${READER}) order by 1`;
  return rows.map(({ name }) => name);
};
const sees = (prefix: string, n: number) =>
  vi.waitFor(async () => expect((await reading()).filter((name) => name.startsWith(READER + prefix))).toHaveLength(n), {
    timeout: 5000,
    interval: 20,
  });
const idle = (name: string) =>
  vi.waitFor(
    async () => {
      const [row] = await db.sql`select state from pg_stat_activity where application_name = ${name}`;
      expect(row?.state).toBe("idle in transaction");
    },
    { timeout: 5000, interval: 20 },
  );

describe("a pool with all connections at work", () => {
  it("tells the next reader so, and does not begin its read later", async () => {
    const pool = open(db.url, 1);
    const { promise: done, resolve: end } = Promise.withResolvers<void>();
    const first = snapshot(pool, () => done);
    let begun = false;
    const second = snapshot(
      pool,
      async () => {
        begun = true;
      },
      { waitMs: 50 },
    );
    await expect(second).rejects.toBeInstanceOf(StoreBusy);
    end();
    await first;
    // The connection is free again for others.
    expect(await snapshot(pool, (tx) => tx`select 1 as one`)).toEqual([{ one: 1 }]);
    expect(begun).toBe(false);
    await pool.end();
  });
});

describe("cancelling by name", () => {
  it("ends a transaction between two statements too, and no other", async () => {
    const name = `${READER}spend one`;
    const { promise: pause, resolve: goOn } = Promise.withResolvers<void>();
    const between = snapshot(
      db.sql,
      async (tx) => {
        await pause;
        return tx`select pg_sleep(20)`;
      },
      { as: name },
    ).catch((error) => error.code);
    const other = snapshot(db.sql, (tx) => tx`select pg_sleep(0.5)`, { as: `${READER}spend other` });
    await idle(name);
    const cancelling = cancelReads(db.sql, name);
    goOn();
    expect(await cancelling).toBe(1);
    expect(await between).toBe("57014");
    expect(await other).toHaveLength(1);
    expect(await cancelReads(db.sql, name)).toBe(0);
  });
});

describe("a page in two parts", () => {
  it("has its head before the rest, both of one moment", async () => {
    const { promise: pause, resolve: goOn } = Promise.withResolvers<void>();
    const count = "select count(*)::int as n from settings";
    const { head, rest } = await readInParts(
      "spend",
      async (tx) => (await tx.unsafe<{ n: number }[]>(count))[0]?.n,
      async (tx, n) => {
        await pause;
        return { n, again: (await tx.unsafe<{ n: number }[]>(count))[0]?.n };
      },
    );
    await db.sql`insert into settings (name, value) values ('test', '1')`;
    goOn();
    expect(await rest.outcome).toEqual({ value: { n: head, again: head } });
  });

  const sleeper = (page = "spend") =>
    readInParts(
      page,
      async () => 1,
      (tx) => tx`select pg_sleep(20)`,
    );

  it("is cancelled by its token, and says so", async () => {
    const { rest } = await sleeper();
    expect(await cancelReading(rest.token)).toBe(true);
    expect(await rest.outcome).toMatchObject({ failure: { title: "Cancelled" } });
    expect(await cancelReading(rest.token)).toBe(false);
    expect(await cancelReading("spend' or true --")).toBe(false);
  });

  it("is cancelled by a form of its own page, not of others'", async () => {
    const { rest } = await sleeper("latency");
    const post = (headers: Record<string, string>) =>
      cancelRoute(
        new Request("http://127.0.0.1:3000/reads/cancel", {
          method: "POST",
          body: new URLSearchParams({ read: rest.token }),
          headers: { host: "127.0.0.1:3000", ...headers },
        }),
      );
    expect((await post({ origin: "http://evil.example" })).status).toBe(403);
    await sees("latency", 1);
    expect((await post({ origin: "http://127.0.0.1:3000" })).status).toBe(204);
    expect(await rest.outcome).toMatchObject({ failure: { title: "Cancelled" } });
  });

  it("ends in the database when its visitor leaves", async () => {
    const listeners: (() => void)[] = [];
    const response = { writableFinished: false, once: (_: string, listen: () => void) => listeners.push(listen) };
    const incoming = { headers: { [REQUEST_HEADER]: "forged" } as Record<string, string> };
    openRequest(incoming as never, response as never);
    expect(incoming.headers[REQUEST_HEADER]).not.toBe("forged");
    request = new Headers(incoming.headers);
    const { rest } = await sleeper();
    await sees("spend", 1);
    for (const listen of listeners) listen();
    expect(await rest.outcome).toHaveProperty("failure");
    await sees("spend", 0);
  });

  it("in one piece is named and cancelled in the same way, and fails with what happened", async () => {
    const whole = readWhole("home", (tx) => tx`select pg_sleep(20)`);
    const outcome = expect(whole).rejects.toMatchObject({ code: "57014" });
    await sees("home", 1);
    const name = (await reading()).find((one) => one.startsWith(`${READER}home`)) ?? "";
    expect(await cancelReading(name.slice(READER.length))).toBe(true);
    await outcome;
    await sees("home", 0);
  });

  it("with a head that fails throws what it failed with, and leaves nothing open", async () => {
    const failing = readInParts(
      "calls",
      (tx) => tx`select 1 / 0`,
      async () => 1,
    );
    await expect(failing).rejects.toMatchObject({ code: "22012" });
    await sees("calls", 0);
  });
});

describe("exports", () => {
  const ask = (signal?: AbortSignal) =>
    csv(new NextRequest("http://127.0.0.1:3000/spend/csv?r=2026-03&g=model", { ...(signal && { signal }) }));

  it("at the pace of two slow clients leave pages their connections; a third is told to come again", async () => {
    const [one, two] = await Promise.all([ask(), ask()]);
    expect([one?.status, two?.status]).toEqual([200, 200]);
    const third = await ask();
    expect(third.status).toBe(503);
    expect(third.headers.get("retry-after")).toBe("15");
    expect(await third.text()).toBe("2 exports are running, which is the most at once. Try again when one is done.\n");
    await sees("export", 2);
    // As many pages at once as there are connections for them.
    const pages = await Promise.all(
      Array.from({ length: 10 }, () => snapshot(database(), (tx) => tx`select 1 as one`, { waitMs: 5000 })),
    );
    expect(pages.flat()).toHaveLength(10);

    const text = (await one?.text()) ?? "";
    expect(text.split("\r\n").length).toBeGreaterThan(5);
    expect(text.startsWith("day,from,until,model,calls,")).toBe(true);
    expect(await two?.text()).toBe(text);
    await sees("export", 0);
    const next = await ask();
    expect(next.status).toBe(200);
    await next.text();
  });

  it("leave no dropped calls out quietly: what only they could answer is refused", async () => {
    const exported = async (query: string) => csv(new NextRequest(`http://127.0.0.1:3000/spend/csv?${query}`));
    await db.sql`insert into settings (name, value) values ('sealed', '"2026-03-09"')`;
    try {
      const refused = await exported("r=2026-03&f=status:completed");
      expect(refused.status).toBe(409);
      expect(refused.headers.get("retry-after")).toBeNull();
      expect(await refused.text()).toMatch(
        /^Not all of this is kept\. Calls before 9 Mar 2026 .* No rollup answers a filter by /,
      );
      for (const query of ["r=2026-03&g=model", "r=2026-04&f=status:completed"]) {
        const whole = await exported(query);
        expect(whole.status).toBe(200);
        await whole.text();
      }
    } finally {
      await db.sql`delete from settings where name = 'sealed'`;
    }
  });

  it("end in the database when their client hangs up, before and after the first row", async () => {
    const answer = await ask();
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
    await sees("export", 0);

    const held = await db.sql.reserve();
    await held`begin`;
    await held`lock table rollup_spend in access exclusive mode`;
    const client = new AbortController();
    const waiting = ask(client.signal);
    await sees("export", 1);
    client.abort();
    expect((await waiting).status).toBeGreaterThanOrEqual(503);
    await sees("export", 0);
    await held`rollback`;
    held.release();
    const again = await ask();
    expect(again.status).toBe(200);
    await again.text();
  });
});
