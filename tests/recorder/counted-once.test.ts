import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkMonth, closeMonth } from "#db/close-month.ts";
import { addTerm } from "#db/price-book.ts";
import { differences } from "#db/referee.ts";
import type { RecordedCall } from "#db/stored-calls.ts";
import type { Exchange } from "#lib/exchange.ts";
import { addMoney } from "#lib/money.ts";
import { DECODER_VERSION, decode } from "#lib/openai/decode.ts";
import { decodeCalls } from "#lib/recorder/decode-exchange.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { exchange, type Wire } from "#tests/openai/from-recording.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { rerateIn, rerateRange } from "#tests/support/rerate.ts";
import { storedSpool } from "#tests/support/store-calls.ts";

/** An hour of a day in May 2026. */
const AT = Date.UTC(2026, 4, 6, 12);
const HOUR_S = AT / 1000;

let db: TestDatabase;
let here: Awaited<ReturnType<typeof storedSpool>>;
let elsewhere: typeof here;
beforeAll(async () => {
  db = await testDatabase();
  here = await storedSpool(db.sql, "spool-here");
  elsewhere = await storedSpool(db.sql, "spool-elsewhere");
});
afterAll(() => db.drop());

type Asked = Wire & { atMs?: number; who?: Record<string, string> };

/** Everything that was told, to be read once more. */
const told: { to: typeof here; exchange: Exchange }[] = [];

async function tell(to: typeof here, ...asked: Asked[]) {
  const exchanges = asked.map(exchangeOf);
  told.push(...exchanges.map((one) => ({ to, exchange: one })));
  return record(to, exchanges);
}

function exchangeOf({ atMs = AT, who = {}, ...wire }: Asked): Exchange {
  const plain = exchange(wire);
  const named = Object.entries(who).flatMap(([name, value]) => [`x-omnimeter-${name}`, value]);
  const start = { ...plain.start, startedAtMs: atMs, headers: [...plain.start.headers, ...named] };
  return { ...plain, id: createUuid7(() => atMs)(), start };
}

/** As the recorder does it. */
async function record(to: typeof here, exchanges: readonly Exchange[], version = DECODER_VERSION) {
  const options = {
    projectId: "default",
    contentKey: null,
    knownInstructions: new Set<string>(),
    decoder: { version, decode },
  };
  const calls: RecordedCall[] = [];
  for (const one of exchanges) calls.push(...(await decodeCalls(one, options)));
  return to([], { calls });
}

const agrees = async (ms = AT) => expect(await differences(db.sql, ms, ms + 1)).toEqual([]);
const spent = async (which: string, ...of: string[]) => {
  const rows = await db.sql`
    select c.id, trim_scale(l.cost_usd)::text as usd from calls c join usage_lines l on l.call_id = c.id
    where ${db.sql.unsafe(which)} = any(${of}) and l.cost_usd is not null`;
  return rows.reduce((sum, { usd }) => addMoney(sum, usd), "0");
};
/** The call that generated it. */
const stored = async (responseId: string) => {
  const [row] = await db.sql`
    select * from calls where response_id = ${responseId} and (parent_id is not null or method = 'POST')`;
  return row;
};

const chat = (id: string, at = HOUR_S - 60) => ({
  id,
  object: "chat.completion",
  created: at,
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
});
const answer = (name: string, body: object) => ({
  id: `batch_req_${name}`,
  custom_id: name,
  response: { status_code: 200, request_id: "r", body },
  error: null,
});
const batch = (name: string, over: object = {}) => ({
  id: `batch_${name}`,
  object: "batch",
  model: "gpt-4o-2024-08-06",
  status: "completed",
  output_file_id: `file-${name}`,
  completed_at: HOUR_S - 30,
  usage: { input_tokens: 2000, output_tokens: 200, total_tokens: 2200 },
  ...over,
});
const submit = (name: string, who: Record<string, string> = {}): Asked => ({
  path: "/v1/batches",
  request: { input_file_id: "file-in" },
  response: batch(name, { status: "validating", output_file_id: null, completed_at: null, usage: null }),
  atMs: AT - 3_600_000,
  who,
});
const poll = (name: string, over: Partial<Asked> = {}, of: object = {}): Asked => ({
  method: "GET",
  path: `/v1/batches/batch_${name}`,
  response: batch(name, of),
  ...over,
});
const fetchFile = (name: string, over: Partial<Asked> = {}): Asked => ({
  method: "GET",
  path: `/v1/files/file-${name}/content`,
  headers: ["content-type", "application/octet-stream"],
  response: linesOf(name),
  ...over,
});
const linesOf = (name: string) =>
  ["a", "b"].map((row) => JSON.stringify(answer(`${name}-${row}`, chat(`chatcmpl-${name}-${row}`)))).join("\n");

/** 2,000 + 200 tokens at half the price. */
const BATCH_USD = "0.0035";

describe("a batch", () => {
  const SUBMITTER = { feature: "nightly", customer: "acme", environment: "staging", tags: "team=a" };
  const OTHERS = { feature: "watcher", customer: "ops", environment: "dev", tags: "team=ops" };

  it("is for whom it was handed in, whoever looks at it and fetches its answers", async () => {
    for (const name of ["look-first", "file-first"]) {
      await tell(here, submit(name, SUBMITTER));
      const told = [poll(name, { who: OTHERS }), fetchFile(name, { who: OTHERS })];
      if (name === "look-first") for (const asked of told) await tell(elsewhere, asked);
      else await tell(elsewhere, ...told.reverse());
      const rows = await db.sql`
        select distinct feature, customer, environment, tags from calls
        where id in (select call_id from provider_objects where object_id like ${`%${name}%`} and object_id not like 'usage:%')`;
      expect([...rows]).toEqual([
        { feature: "nightly", customer: "acme", environment: "staging", tags: { team: "a" } },
      ]);
      expect(await spent("c.service_tier || c.feature", "batchnightly")).toBe(
        name === "look-first" ? BATCH_USD : "0.007",
      );
    }
    await agrees();
  });

  it("costs once, told by two recorders at once, however often", async () => {
    await tell(here, submit("race", { feature: "race" }));
    const told = () => [poll("race"), fetchFile("race"), poll("race"), fetchFile("race")];
    const results = await Promise.all([tell(here, ...told()), tell(elsewhere, ...told().reverse())]);
    expect(results.map(({ setAside }) => setAside)).toEqual([0, 0]);
    expect(await spent("c.service_tier || c.feature", "batchrace")).toBe(BATCH_USD);
    await agrees();
  });

  it("that states no usage is stored once where two recorders see it at once", async () => {
    const results = [];
    for (let round = 0; round < 5; round++) {
      const asked = poll(`old-${round}`, {}, { usage: null });
      results.push(...(await Promise.all([tell(here, asked), tell(elsewhere, asked)])));
    }
    expect(results.map(({ setAside }) => setAside)).toEqual(results.map(() => 0));
    expect([...(await db.sql`select reason from set_aside`)]).toEqual([]);
  });

  it("whose answers were fetched in part and then whole is counted whole, once", async () => {
    await tell(here, submit("torn", { feature: "torn" }), poll("torn", {}, { usage: null }));
    const whole = linesOf("torn");
    await tell(here, fetchFile("torn", { response: whole.slice(0, whole.length - 20), ending: "client_aborted" }));
    expect(await spent("c.feature", "torn")).toBe("0.00175");
    await tell(elsewhere, fetchFile("torn"), fetchFile("torn"));
    expect(await spent("c.feature", "torn")).toBe(BATCH_USD);
    await agrees();
  });

  it("gives nothing to a line that is read again by its own id", async () => {
    await tell(here, submit("again"), poll("again"), fetchFile("again"));
    await tell(here, {
      method: "GET",
      path: "/v1/chat/completions/chatcmpl-again-a",
      response: chat("chatcmpl-again-a"),
    });
    expect(await stored("chatcmpl-again-a")).toMatchObject({
      usage_source: "none",
      problems: ["usage_of_another_call"],
    });
    await agrees();
  });

  it("pays for what the tools of its answers cost, whoever told of their tokens", async () => {
    const searched = {
      ...response("resp_searched"),
      tools: [{ type: "web_search" }],
      tool_usage: { web_search: { num_requests: 2 } },
    };
    for (const name of ["fees-look", "fees-file"]) {
      await tell(here, submit(name, { feature: name }));
      const both = [poll(name), fetchFile(name, { response: JSON.stringify(answer(name, searched)) })];
      // The submission leads to the batch, and the batch to its file.
      await tell(elsewhere, ...(name === "fees-look" ? both : both.reverse()), fetchFile(name, both[1]));
    }
    // Two searches; tokens of the batch, or of its one answer.
    expect(await spent("c.feature", "fees-look")).toBe("0.0235");
    expect(await spent("c.feature", "fees-file")).toBe("0.02175");
    await agrees();
  });

  it("of which nobody can tell whether its requests were long has no price, now or when it is priced again", async () => {
    const of = (tokens: number) => ({
      model: "gpt-5.4",
      usage: { input_tokens: tokens, output_tokens: 0, total_tokens: tokens },
    });
    for (const [name, tokens] of [
      ["short", 200_000],
      ["long", 300_000],
    ] as const) {
      await tell(here, submit(name, { feature: name }));
      await tell(here, poll(name, {}, of(tokens)));
    }
    // 200,000 × 1.25 a million.
    expect([await spent("c.feature", "short"), await spent("c.feature", "long")]).toEqual(["0.25", "0"]);
    await agrees();
  });

  it("is not what somebody has uploaded, whatever it looks like", async () => {
    await tell(here, {
      path: "/v1/files",
      requestHeaders: ["content-type", "multipart/form-data; boundary=x"],
      request: "--x--",
      response: { id: "file-mine", object: "file", purpose: "user_data" },
      who: { feature: "upload" },
    });
    await tell(here, fetchFile("mine", { who: { feature: "upload" } }));
    expect(await spent("c.feature", "upload")).toBe("0");
  });
});

const response = (id: string, over: object = {}) => ({
  id,
  object: "response",
  created_at: HOUR_S,
  model: "gpt-4o-2024-08-06",
  status: "completed",
  service_tier: "default",
  output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi" }] }],
  usage: { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 },
  ...over,
});
const retrieve = (id: string, over: object = {}): Asked => ({
  method: "GET",
  path: `/v1/responses/${id}`,
  response: response(id, over),
});
/** A stream that its client left after its first event, which says `auto` whatever is served. */
const left = (id: string): Asked => ({
  path: "/v1/responses",
  request: { model: "gpt-4o", input: "Hello", stream: true },
  response: `data: ${JSON.stringify({
    type: "response.created",
    response: response(id, { status: "in_progress", service_tier: "auto", output: [], usage: null }),
  })}\n\ndata: ${JSON.stringify({ type: "response.output_text.delta", output_index: 0, delta: "Hi" })}\n\n`,
  ending: "client_aborted",
});

/** Two minutes of computing in a container that others use as well. */
const withContainer = (name: string, atS = HOUR_S): Asked => ({
  path: "/v1/responses",
  request: { input: "x" },
  response: response(`resp_in_${name}`, {
    created_at: atS,
    tools: [{ type: "code_interpreter", container: { type: "auto" } }],
    output: [{ type: "code_interpreter_call", status: "completed", container_id: "cntr_shared" }],
  }),
});

describe("what is read again", () => {
  it("settles the tier that was served too, by which it is priced", async () => {
    await tell(here, left("resp_left"));
    expect(await stored("resp_left")).toMatchObject({ usage_source: "estimated", service_tier: "auto" });
    await tell(here, retrieve("resp_left", { service_tier: "priority" }));
    expect(await stored("resp_left")).toMatchObject({
      usage_source: "reported",
      service_tier: "priority",
      problems: ["usage_restated"],
    });
    // 1,000 × 4.25 + 100 × 17 a million.
    expect(await spent("c.response_id", "resp_left")).toBe("0.00595");
    await agrees();
  });

  it("belongs to the call whose id it has, however long ids begin alike", async () => {
    const id = (name: string) => `resp_${"bGl0ZWxsbTpjdXN0b21fbGxt".repeat(9)}${name}`;
    await tell(here, left(id("a")), left(id("b")));
    await tell(here, retrieve(id("b")));
    expect([await stored(id("a")), await stored(id("b"))]).toMatchObject([
      { usage_source: "estimated" },
      { usage_source: "reported" },
    ]);
  });

  it("and contradicts itself leaves the call unpriced, not free", async () => {
    await tell(here, left("resp_odd"));
    await tell(here, retrieve("resp_odd", { usage: { input_tokens: 10, output_tokens: 1, total_tokens: 500 } }));
    expect(await stored("resp_odd")).toMatchObject({
      usage_source: "reported",
      problems: expect.arrayContaining(["usage_inconsistent", "usage_restated"]),
    });
    await agrees();
  });
});

describe("a container", () => {
  it("that two recorders see at once is paid once, and nothing is set aside", async () => {
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all([
        tell(here, withContainer(`h${round}`)),
        tell(elsewhere, withContainer(`e${round}`)),
      ]);
      expect(results.map(({ setAside }) => setAside)).toEqual([0, 0]);
    }
    expect(await spent("c.endpoint", "containers")).toBe("0.03");
    await agrees();
  });
});

it("whatever is read once more by a newer decoder, in whatever order, comes to the same", async () => {
  const all = async () => {
    const rows = await db.sql`
      select c.id, c.usage_source, c.feature, c.parent_id, array(select unnest(c.problems) order by 1) as problems, (
        select array_agg(concat_ws(' ', direction, unit, quantity, trim_scale(cost_usd)) order by direction, unit, quantity, cost_usd)
        from usage_lines l where l.call_id = c.id
      ) as lines
      from calls c order by c.id`;
    return [...rows];
  };
  const before = await all();
  const again = async (exchanges: typeof told, version: number) => {
    for (const to of [here, elsewhere])
      await record(
        to,
        exchanges.filter((one) => one.to === to).map((one) => one.exchange),
        version,
      );
  };
  await again(told, DECODER_VERSION + 1);
  expect(await all()).toEqual(before);
  await again(told.toReversed(), DECODER_VERSION + 2);
  expect(await all()).toEqual(before);
  const old = await db.sql`select problems from calls where decoder_version < ${DECODER_VERSION + 2}`;
  // What only a later answer could say stays as that one said it.
  expect(old.every(({ problems }) => problems.includes("usage_restated"))).toBe(true);
  expect([...(await db.sql`select * from set_aside`)]).toEqual([]);
  await agrees();
});

it("of all that is told late, closed months keep what they had, and pricing again comes to an end", async () => {
  const march = Date.UTC(2026, 2, 10);
  const at = (asked: Asked): Asked => ({ ...asked, atMs: march });
  const asked = ["resp_march", "resp_march_odd"].map((id) => at(left(id)));
  await tell(here, ...asked, at(submit("march")), at(withContainer("march", march / 1000)));
  await closeMonth(db.sql, { project: "default", month: "2026-03-01", by: null, anyway: true });
  const closed = await checkMonth(db.sql, "default", "2026-03-01");
  const told = [
    retrieve("resp_march", { service_tier: "priority" }),
    retrieve("resp_march_odd", { usage: { input_tokens: 10, output_tokens: 1, total_tokens: 500 } }),
    poll("march", {}, { completed_at: march / 1000 + 60 }),
    fetchFile("march"),
    withContainer("march-again", march / 1000 + 300),
  ];
  for (const one of told) await tell(elsewhere, one);
  const year = rerateRange("2026-01-01", "2027-01-01");
  const wish = { models: "gpt-4o*", upstream: null, note: "", factor: "0.9", effectiveFrom: "2026-01-01" };
  const lines = async () => (await rerateIn(db, year)).report.lines;
  expect(await lines()).toBe(0);
  await addTerm(db.sql, "default", createUuid7()(), wish);
  const changed = await lines();
  expect(changed).toBeGreaterThan(0);
  expect(await lines()).toBe(0);
  expect(await checkMonth(db.sql, "default", "2026-03-01")).toEqual(closed);
  for (const day of [march, AT, Date.UTC(2026, 3, 1)]) await agrees(day);
  const sums = await db.sql`
    select trim_scale(sum(l.cost_usd))::text as usd, trim_scale((select sum(cost_usd + cost_estimated_usd) from rollup_spend))::text as rolled
    from usage_lines l`;
  expect(sums[0]?.usd).toBe(sums[0]?.rolled);
});
