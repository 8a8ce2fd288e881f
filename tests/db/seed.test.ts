import type { Sql } from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { objectsOf } from "#db/provider-objects.ts";
import { rebuildRollups } from "#db/rebuild-rollups.ts";
import { copyRows, copyText } from "#db/seed/copy-rows.ts";
import type { Call } from "#lib/call.ts";
import { type Batch, callsOfCompany } from "#lib/demo/company.ts";
import { seedDatabase } from "#lib/demo/seed-database.ts";
import { openContent } from "#lib/privacy/seal.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { storedRatings, wordsInForce } from "#tests/support/words-in-force.ts";

const COMPANY = { seed: 3, untilMs: Date.parse("2026-11-20T16:00:00Z"), days: 12, calls: 2500 };
const KEY = Buffer.alloc(32, 7);
const made: Batch[] = [];
let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await testDatabase();
  sql = database.sql;
  for await (const batch of callsOfCompany(COMPANY)) made.push(batch);
  await seedDatabase({ ...COMPANY, url: database.url, contentKey: KEY, add: false });
});
afterAll(() => database.drop());

const calls = () => made.flatMap((batch) => batch.calls);
const sessions = () => made.flatMap((batch) => batch.sessions);
/** What the ends of batches say was used. */
const claimsOf = ({ countsFor }: Call) => (countsFor === null ? [] : [`usage:${countsFor}`]);

test("every call, line, tool call, object, session, turn and word that was made is stored", async () => {
  const [stored] = await sql`
    select
      (select count(*)::int from calls) as calls, (select count(*)::int from usage_lines) as lines,
      (select count(*)::int from tool_calls) as tools, (select count(*)::int from provider_objects) as objects,
      (select count(*)::int from sessions) as sessions, (select count(*)::int from turns) as turns,
      (select count(*)::int from feedback) as feedback,
      (select count(*)::int from feedback where matched_at is null) as waiting`;
  expect(stored).toEqual({
    calls: 2500,
    lines: calls().flatMap(({ lines }) => lines).length,
    tools: calls().flatMap(({ toolCalls }) => toolCalls).length,
    objects: calls().flatMap((call) => [...new Set(objectsOf(call).map(({ objectId }) => objectId)), ...claimsOf(call)])
      .length,
    sessions: sessions().length,
    turns: sessions().flatMap(({ turns }) => turns).length,
    feedback: made.flatMap(({ feedback }) => feedback).length,
    waiting: 5,
  });
});

test("a row holds what the call says, with lists, tags, names in other scripts and the money of its lines", async () => {
  const call = calls().find(
    ({ feature, customer, outcome }) => feature === "Café — «α»" && customer !== null && outcome === "completed",
  );
  expect(call).toBeDefined();
  if (!call) return;
  const [row] = await sql`select * from calls where id = ${call.id}`;
  expect(row).toMatchObject({
    feature: "Café — «α»",
    customer: call.customer,
    template: "menu_α",
    tags: call.tags,
    finish_reasons: ["stop"],
    input_modalities: ["text"],
    problems: [],
    started_at: new Date(call.startedAt),
    first_token_ms: call.timings.firstTokenMs,
    input_tokens: call.usage.inputTokens,
    booked_on: null,
  });
  const lines = await sql`select direction, cost_usd, price_id from usage_lines where call_id = ${call.id} order by 1`;
  expect(lines.map((line) => ({ ...line }))).toEqual(
    call.lines.map((line) => ({ direction: line.direction, cost_usd: line.costUsd, price_id: line.price?.id })),
  );
});

test("what was said is rated, and days that are over are summed", async () => {
  const ratings = await storedRatings(sql);
  expect(ratings.length).toBeGreaterThan(50);
  expect([...ratings]).toEqual([...(await wordsInForce(sql))]);
  expect((await sql`select 1 from ratings_folded`).length).toBeGreaterThan(0);
});

test("the rollups are those that a rebuild makes, and their money is the sum of the lines", async () => {
  const rows = () => Promise.all(["rollup_calls", "rollup_latency", "rollup_spend"].map((table) => sorted(table)));
  const before = await rows();
  expect(before.every((table) => table.length > 100)).toBe(true);
  await rebuildRollups(sql, COMPANY.untilMs - 12 * 86_400_000, COMPANY.untilMs);
  expect(await rows()).toEqual(before);
  const [sums] = await sql<{ lines: string; rollup: string; calls: number; unpriced: number }[]>`
    select
      (select sum(cost_usd) from usage_lines) as lines,
      (select sum(cost_usd + cost_estimated_usd) from rollup_spend) as rollup,
      (select sum(calls)::int from rollup_spend) as calls,
      (select sum(calls_unpriced)::int from rollup_spend) as unpriced`;
  expect(Number(sums?.lines)).toBeGreaterThan(0);
  expect(sums).toEqual({ lines: sums?.lines, rollup: sums?.lines, calls: 2500, unpriced: 5 });
});

const sorted = async (table: string): Promise<string[]> => {
  const rows = await sql.unsafe<{ row: string }[]>(`select t::text as row from ${table} t`);
  return rows.map(({ row }) => row).sort();
};

test("versions and the snapshots behind aliases are noted with their first call", async () => {
  const first = calls().find(({ templateVersion, template }) => template === "rewrite" && templateVersion === "3");
  const [row] = await sql`select * from changes where subject = 'rewrite' and value = '3'`;
  expect(row).toMatchObject({ kind: "template_version", first_call_id: first?.id });
  const snapshots = await sql`select value from changes where kind = 'snapshot' and subject = 'gpt-4o'`;
  expect(snapshots.map(({ value }) => value)).toEqual(["gpt-4o-2024-11-20"]);
});

test("content is sealed by the real path, and the instructions of every unlabelled hash have their first words", async () => {
  const [row] = await sql<{ sealed: Buffer; template: string }[]>`
    select p.sealed, c.template from payloads p join calls c on c.id = p.call_id where c.template = 'support_reply' limit 1`;
  const content = openContent(row?.sealed as Buffer, KEY);
  expect(JSON.stringify(content.input)).toContain("You answer customers of an online shop.");
  const hashes = new Set(
    calls().flatMap(({ template, unitHash }) => (template === null && unitHash ? [unitHash] : [])),
  );
  const words = await sql<{ unit_hash: string }[]>`select unit_hash from instructions`;
  expect(new Set(words.map((one) => one.unit_hash))).toEqual(hashes);
});

test("a session names the one that it goes on with, and who looked at a batch first holds its usage", async () => {
  const resumed = sessions().filter(({ resumedFrom }) => resumedFrom !== null);
  expect(resumed).toHaveLength(1);
  const rows = await sql`
    select s.id, s.resumed_from, s.session, b.end_reason as "brokenBy", b.session as before
    from sessions s join sessions b on b.id = s.resumed_from`;
  expect(rows.map((row) => ({ ...row }))).toEqual(
    resumed.map(({ session, resumedFrom }) => ({
      ...{ id: session.id, resumed_from: resumedFrom, session: session.session },
      ...{ brokenBy: "reset", before: session.session },
    })),
  );
  const held = await sql`
    select o.call_id from provider_objects o join calls c on c.id = o.call_id and c.endpoint = 'batches' and c.method = 'GET'
    where o.object_id like 'usage:file-%'`;
  expect(held).toHaveLength(calls().filter(({ endpoint }) => endpoint === "batch").length);
});

test("its alert rules were checked as its calls came: what is above its threshold is open", async () => {
  const rules = await sql`
    select r.measure, r.last_value as value, r.problem, a.opened_at as opened
    from alert_rules r left join alerts a on a.rule_id = r.id and a.closed_at is null order by 1`;
  // The fourth of the five unpriced calls came 1.4 days before the end; checks are three hours apart.
  const opened = rules[2]?.opened.getTime() ?? 0;
  expect(rules.map(({ measure, problem }) => [measure, problem])).toEqual([
    ["error_rate", null],
    ["p95_first_audio", null],
    ["unpriced_calls", null],
  ]);
  expect(rules[2]).toMatchObject({ value: 5 });
  const fourth = COMPANY.untilMs - 1.4 * 86_400_000;
  expect(opened).toBeGreaterThanOrEqual(fourth - 1000);
  expect(opened).toBeLessThan(fourth + 4 * 3_600_000);
});

test("a database that holds calls is refused unless asked, and the same company is never stored twice", async () => {
  const again = { ...COMPANY, url: database.url, contentKey: null };
  await expect(seedDatabase({ ...again, add: false })).rejects.toMatchObject({ code: "has_calls" });
  await expect(seedDatabase({ ...again, add: true })).rejects.toMatchObject({ code: "seeded_twice" });
  const [count] = await sql`select count(*)::int as calls from calls`;
  expect(count).toEqual({ calls: 2500 });
  await seedDatabase({ ...again, seed: 4, add: true });
  const [both] =
    await sql`select count(*)::int as calls, (select sum(calls)::int from rollup_spend) as rolled from calls`;
  expect(both).toEqual({ calls: 5000, rolled: 5000 });
});

test("COPY keeps every character of a text, of a list and of JSON", async () => {
  await sql`create table odd (id int, texts text[], value jsonb, text text, bytes bytea, number float8, flag boolean)`;
  const text = 'tab\t line\n back\\slash "quoted" \\N \\. {a,b} é 😀 \r\v\b';
  const row = { id: 1, texts: [text, "", "NULL"], value: { [text]: text }, text, bytes: Buffer.from([0, 92, 255]) };
  const writer = copyRows(sql, "odd");
  await writer.write([{ ...row, number: 0.125, flag: true }]);
  await writer.write([{ id: 2, texts: [], value: null, text: null, bytes: null, number: null, flag: false }]);
  await writer.end();
  const [first, second] = await sql`select * from odd order by id`;
  expect(first).toEqual({ ...row, number: 0.125, flag: true });
  expect(second).toEqual({ id: 2, texts: [], value: null, text: null, bytes: null, number: null, flag: false });
  expect(copyText([{ a: "x\u0000y", b: "\ud800" }])).toBe("x\ufffdy\t\ufffd\n");
});
