import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeMonth } from "#db/close-month.ts";
import { differences } from "#db/referee.ts";
import { addMoney } from "#lib/money.ts";
import { decodeCalls } from "#lib/recorder/decode-exchange.ts";
import { createUuid7 } from "#lib/uuid7.ts";
import { exchange, type Wire } from "#tests/openai/from-recording.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
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

/** What the recorder makes of an exchange. */
async function calls({ atMs = AT, who = {}, ...wire }: Asked) {
  const plain = exchange(wire);
  const named = Object.entries(who).flatMap(([name, value]) => [`x-omnimeter-${name}`, value]);
  const start = { ...plain.start, startedAtMs: atMs, headers: [...plain.start.headers, ...named] };
  const id = createUuid7(() => atMs)();
  return decodeCalls({ ...plain, id, start }, { projectId: "default", contentKey: null, knownInstructions: new Set() });
}
const tell = async (to: typeof here, ...asked: Asked[]) =>
  to([], { calls: (await Promise.all(asked.map(calls))).flat() });

const agrees = async (ms = AT) => expect(await differences(db.sql, ms, ms + 1)).toEqual([]);
const spent = async (which: string, ...of: string[]) => {
  const rows = await db.sql`
    select c.id, trim_scale(l.cost_usd)::text as usd from calls c join usage_lines l on l.call_id = c.id
    where ${db.sql.unsafe(which)} = any(${of}) and l.cost_usd is not null`;
  return rows.reduce((sum, { usd }) => addMoney(sum, usd), "0");
};
const one = async (which: string, value: string) => {
  const rows = await db.sql`select * from calls where ${db.sql.unsafe(which)} = ${value}`;
  expect(rows).toHaveLength(1);
  return rows[0] as Record<string, unknown>;
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
      expect(await spent("c.service_tier || c.feature", "batchnightly")).toBe(name === "look-first" ? BATCH_USD : "0.007");
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
    await tell(here, submit("torn", { feature: "torn" }));
    const whole = linesOf("torn");
    const half = whole.slice(0, whole.length - 20);
    await tell(here, fetchFile("torn", { response: half, ending: "client_aborted" }));
    expect(await spent("c.feature", "torn")).toBe("0.00175");
    await tell(elsewhere, fetchFile("torn"));
    await tell(elsewhere, poll("torn"));
    expect(await spent("c.feature", "torn")).toBe(BATCH_USD);
    await agrees();
  });

  it("gives nothing to a line that is read again by its own id", async () => {
    await tell(here, poll("again"), fetchFile("again"));
    await tell(here, {
      method: "GET",
      path: "/v1/chat/completions/chatcmpl-again-a",
      response: chat("chatcmpl-again-a"),
    });
    expect(await one("response_id || parent_id is not null", "chatcmpl-again-atrue")).toMatchObject({ usage_source: "none" });
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

describe("what is read again", () => {
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

  it("settles the tier that was served too, by which it is priced", async () => {
    await tell(here, left("resp_left"));
    expect(await one("response_id", "resp_left")).toMatchObject({ usage_source: "estimated", service_tier: "auto" });
    await tell(here, retrieve("resp_left", { service_tier: "priority" }));
    const [stored] = await db.sql`select * from calls where response_id = 'resp_left' and endpoint = 'responses'`;
    expect(stored).toMatchObject({ usage_source: "reported", service_tier: "priority", problems: ["usage_restated"] });
    // 1,000 × 4.25 + 100 × 17 a million.
    expect(await spent("c.response_id", "resp_left")).toBe("0.00595");
    await agrees();
  });

  it("and contradicts itself leaves the call unpriced, not free", async () => {
    await tell(here, left("resp_odd"));
    await tell(here, retrieve("resp_odd", { usage: { input_tokens: 10, output_tokens: 1, total_tokens: 500 } }));
    const [stored] = await db.sql`select * from calls where response_id = 'resp_odd' and endpoint = 'responses'`;
    expect(stored).toMatchObject({
      usage_source: "reported",
      problems: expect.arrayContaining(["usage_inconsistent", "usage_restated"]),
    });
    await agrees();
  });

  it("of a closed month stays closed", async () => {
    expect(closeMonth).toBeDefined();
  });
});

describe("a container", () => {
  const container = (id: string) => ({
    id: `resp_${id}`,
    object: "response",
    created_at: HOUR_S,
    model: "gpt-4o-2024-08-06",
    status: "completed",
    tools: [{ type: "code_interpreter", container: { type: "auto" } }],
    output: [{ type: "code_interpreter_call", status: "completed", container_id: "cntr_shared" }],
    usage: { input_tokens: 10, output_tokens: 1, total_tokens: 11 },
  });
  it("that two recorders see at once is paid once, and nothing is set aside", async () => {
    const asked = (id: string): Asked => ({ path: "/v1/responses", request: { input: "x" }, response: container(id) });
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all([tell(here, asked(`h${round}`)), tell(elsewhere, asked(`e${round}`))]);
      expect(results.map(({ setAside }) => setAside)).toEqual([0, 0]);
    }
    expect(await spent("c.endpoint", "containers")).toBe("0.03");
    await agrees();
  });
});
