import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readView } from "#app/_frame/view.ts";
import { doHealth } from "#app/settings/health/do-health.ts";
import { type Health, readHealth } from "#app/settings/health/read-health.ts";
import { POST } from "#app/settings/health/route.ts";
import { readSettings } from "#app/settings/read-settings.ts";
import { useDatabase } from "#tests/support/dashboard-database.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";

const NOW = Date.parse("2026-06-10T16:00:00Z");
const ID = "01a2b3c4-0000-7000-8000-000000000001";
let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
  await db.sql`
    insert into set_aside (id, spool, run, seq, reason, sealed) values (${ID}, 'a', 'a1', 1, 'bad', '\\x00')`;
});
afterAll(async () => {
  await useDatabase("");
  await db?.drop();
});

/** What could not be read, by part. */
const problemsOf = (parts: Health | Awaited<ReturnType<typeof readSettings>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parts).flatMap(([name, part]) => ("problem" in part ? [[name, part.problem]] : [])),
  );

describe("a database that does not answer", () => {
  it("leaves a page on which each part says so", async () => {
    const { url, close } = await listen((socket) => socket.destroy());
    await close();
    await useDatabase(url);
    const problems = problemsOf(await readHealth(NOW));
    expect(Object.keys(problems)).toHaveLength(10);
    for (const problem of Object.values(problems)) expect(problem).toBe("The database does not answer (ECONNREFUSED).");
    expect(Object.keys(problemsOf(await readSettings(readView({}, undefined, NOW))))).toHaveLength(4);
    expect(await doHealth((await import("#app/_data/database.ts")).database("health"), { retry: "all" })).toBe(
      "refused",
    );
  });

  it("and takes connections without a word, too, within seconds", async () => {
    const { url, close } = await listen(() => {});
    await useDatabase(url);
    const problems = problemsOf(await readHealth(NOW));
    expect(Object.keys(problems)).toHaveLength(10);
    for (const problem of Object.values(problems)) expect(problem).toMatch(/free in time|too long/);
    await useDatabase(db.url);
    await close();
  });
});

it("locks that somebody holds cost the parts that need them, and no other", async () => {
  await useDatabase(db.url);
  const holder = await db.sql.reserve();
  await holder`begin`;
  await holder`lock table spool_runs, calls in access exclusive mode`;
  const problems = problemsOf(await readHealth(NOW));
  await holder`rollback`;
  holder.release();
  expect(problems).toEqual({
    equation: "It took too long.",
    spools: "It took too long.",
    drops: "It took too long.",
    tables: "It took too long.",
  });
  expect(problemsOf(await readHealth(NOW))).toEqual({});
});

it("a read-only database is read; what would change it is refused with a sentence", async () => {
  const [row] = await db.sql<{ name: string }[]>`select current_database() as name`;
  await db.sql.unsafe(`alter database ${row?.name} set default_transaction_read_only = on`);
  await useDatabase(db.url);
  expect(problemsOf(await readHealth(NOW))).toEqual({});
  const answer = await post({ retry: ID }, { accept: "application/json" });
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "health_refused" } });
  await db.sql.unsafe(
    `set default_transaction_read_only = off; alter database ${row?.name} reset default_transaction_read_only`,
  );
  await useDatabase(db.url);
});

describe("the forms", () => {
  const askedAt = async () => {
    const [row] = await db.sql<{ at: Date | null }[]>`select retry_asked_at as at from set_aside where id = ${ID}`;
    return row?.at;
  };

  it("ask for another try, once and for all", async () => {
    expect(await askedAt()).toBeNull();
    const answer = await post({ retry: ID });
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/settings?health=asked#health");
    expect(await askedAt()).toBeInstanceOf(Date);
    await db.sql`update set_aside set retry_asked_at = null`;
    expect((await post({ retry: "all" })).headers.get("location")).toContain("health=asked");
    expect(await askedAt()).toBeInstanceOf(Date);
  });

  it.each([
    [{ retry: "01a2b3c4-0000-7000-8000-00000000000f" }, "nothing-asked"],
    [{ retry: "1 or true" }, "unknown"],
    [{ cancel: "1", since: "2026-06-10 10:00:00+00" }, "nothing-cancelled"],
    [{ cancel: "-1", since: "x" }, "unknown"],
    [{ cancel: "1" }, "unknown"],
    [{}, "unknown"],
  ])("%j: %s", async (fields, said) => {
    expect((await post(fields)).headers.get("location")).toBe(`/settings?health=${said}#health`);
  });

  it("are of this dashboard's own pages", async () => {
    expect((await post({ retry: "all" }, { origin: "http://evil.example" })).status).toBe(403);
    expect((await post({ retry: "all" }, { "sec-fetch-site": "cross-site" })).status).toBe(403);
  });
});

const post = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  POST(
    new Request("http://127.0.0.1:3000/settings/health", {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { host: "127.0.0.1:3000", ...headers },
    }),
  );

/** A server that speaks no Postgres. */
async function listen(onSocket: (socket: import("node:net").Socket) => void) {
  const sockets = new Set<import("node:net").Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `postgres://somebody@127.0.0.1:${port}/nothing`,
    close: () =>
      new Promise<void>((done) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => done());
      }),
  };
}
