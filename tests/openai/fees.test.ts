import { expect, test } from "vitest";
import type { UsageLine } from "#lib/call.ts";
import { derivedId } from "#lib/derived-id.ts";
import { decode } from "#lib/openai/decode.ts";
import type { Facts } from "#lib/openai/facts.ts";
import { exchange } from "./from-recording.ts";

/** 2026-10-01 12:00:00 UTC, in the seconds in which OpenAI states moments. */
const NOON = Date.UTC(2026, 9, 1, 12) / 1000;

const respond = (response: object, request: object = {}) =>
  decode(
    exchange({
      path: "/v1/responses",
      request: { model: "gpt-4o", input: "hi", ...request },
      response: {
        id: "resp_1",
        object: "response",
        created_at: NOON,
        model: "gpt-4o-2024-08-06",
        status: "completed",
        usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
        ...response,
      },
    }),
  );

const said = { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi" }] };
const search = (action: object | undefined = { type: "search", query: "q" }) => ({
  type: "web_search_call",
  status: "completed",
  action,
});

const tools = ({ lines }: Facts) =>
  lines
    .filter(({ direction }) => direction === "tool")
    .map(({ modality, cache, unit, product, quantity, source }) =>
      [product, unit, modality, cache, quantity, source].join(" "),
    );

test("searches are counted as the answer says, else by its items; pages opened are free", async () => {
  const output = [search(), search({ type: "open_page" }), search({ type: "find_in_page" }), search(), said];
  const config = { tools: [{ type: "web_search" }] };
  const stated = await respond({ output, ...config, tool_usage: { web_search: { num_requests: 3 } } });
  expect(tools(stated)).toEqual(["tool:web_search web_search_call none none 3 reported"]);
  const counted = await respond({ output, ...config });
  expect(tools(counted)).toEqual(["tool:web_search web_search_call none none 2 measured"]);
  const none = await respond({ output, ...config, tool_usage: { web_search: { num_requests: 0 } } });
  expect(tools(none)).toEqual([]);
  for (const num_requests of [-1, 1.5, 1e300]) {
    const odd = await respond({ output, ...config, tool_usage: { web_search: { num_requests } } });
    expect([tools(odd), odd.problems]).toEqual([tools(counted), ["usage_bad_number"]]);
  }
  // What is left over of the tokens is not touched by any of it.
  expect(stated.lines.filter(({ direction }) => direction !== "tool").map(({ quantity }) => quantity)).toEqual([10, 5]);
});

test.each([
  ["web_search", "gpt-4o-2024-08-06", "tool:web_search web_search_call none none 1 measured", []],
  ["web_search_2025_08_26", "gpt-5.4", "tool:web_search web_search_call none none 1 measured", []],
  [
    "web_search_preview",
    "gpt-4o-2024-08-06",
    "tool:web_search_preview:non_reasoning web_search_preview_call none none 1 measured",
    [],
  ],
  [
    "web_search_preview_2025_03_11",
    "o3-2025-04-16",
    "tool:web_search_preview:reasoning web_search_preview_call none none 1 measured",
    [],
  ],
  ["function", "gpt-4o-2024-08-06", "tool:web_search web_search_call none none 1 measured", ["search_tool_assumed"]],
])("a search by %s of %s", async (type, model, line, problems) => {
  const facts = await respond({ model, output: [search(), said], tools: [{ type }] });
  expect(tools(facts)).toEqual([line]);
  expect(facts.problems).toEqual(problems);
});

test("the fixed block of search content is in the usage already, and is added only where it cannot be", async () => {
  const config = {
    model: "gpt-4o-mini-2024-07-18",
    output: [search(), search(), said],
    tools: [{ type: "web_search" }],
  };
  const usage = (input: number) => ({ usage: { input_tokens: input, output_tokens: 5, total_tokens: input + 5 } });
  // Two searches: 16,000 tokens.
  expect(tools(await respond({ ...config, ...usage(16_520) }))).toHaveLength(1);
  const without = await respond({ ...config, ...usage(520) });
  expect(tools(without)[1]).toBe("gpt-4o-mini-2024-07-18 input_token text none 16000 measured");
  expect(without.problems).toEqual(["search_content_added"]);
  expect(tools(await respond({ ...config, ...usage(520), model: "gpt-4o-2024-08-06" }))).toHaveLength(1);
});

test("every search in files has a fee; one that failed has none", async () => {
  const call = (status: string) => ({ type: "file_search_call", status, queries: ["a", "b"] });
  const facts = await respond({ output: [call("completed"), call("completed"), call("failed"), said] });
  expect(tools(facts)).toEqual(["tool:file_search file_search_call none none 2 measured"]);
});

test("pictures drawn by a tool are tokens of the image model", async () => {
  const image_gen = {
    input_tokens: 60,
    input_tokens_details: { text_tokens: 50, image_tokens: 10 },
    output_tokens: 272,
    output_tokens_details: { image_tokens: 272, text_tokens: 0 },
    total_tokens: 332,
  };
  const output = [{ type: "image_generation_call", status: "completed", result: "aGk=" }, said];
  const named = await respond({
    output,
    tools: [{ type: "image_generation", model: "gpt-image-1-mini" }],
    tool_usage: { image_gen },
  });
  expect(tools(named)).toEqual([
    "gpt-image-1-mini input_token text none 50 reported",
    "gpt-image-1-mini input_token image none 10 reported",
    "gpt-image-1-mini output_token image none 272 reported",
  ]);
  expect(named.problems).toEqual([]);
  const { output_tokens_details: _, ...bare } = image_gen;
  const cached = { ...bare, cached_tokens: 20, cached_tokens_details: { text_tokens: 20, image_tokens: 0 } };
  const unnamed = await respond({ output, tools: [{ type: "image_generation" }], tool_usage: { image_gen: cached } });
  expect(tools(unnamed)).toEqual([
    "gpt-image-1 input_token text none 30 reported",
    "gpt-image-1 input_token image none 10 reported",
    "gpt-image-1 input_token text read 20 reported",
    "gpt-image-1 output_token image none 272 reported",
  ]);
  expect(unnamed.problems).toEqual(["image_model_assumed"]);
  const silent = await respond({ output, tools: [{ type: "image_generation" }] });
  // In no price list: what it cost is not known, which is not nothing.
  const drawn = ["gpt-image-1 image none none 1 measured"];
  expect([tools(silent), silent.problems]).toEqual([drawn, ["image_usage_missing"]]);
  const zero = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
  expect(tools(await respond({ output: [said], tool_usage: { image_gen: zero } }))).toEqual([]);
  const odd = await respond({ output, tool_usage: { image_gen: { ...image_gen, input_tokens: 40 } } });
  expect([tools(odd), odd.problems]).toEqual([drawn, ["image_usage_inconsistent"]]);
});

/** An id as OpenAI makes them: the second in hexadecimal, then without meaning. */
const container = (madeAt: number) => `cntr_${madeAt.toString(16)}819095a7f5d57f33d80d62739fdf52061b`;
const ran = (id: string) => ({ type: "code_interpreter_call", status: "completed", container_id: id, code: "1" });
const auto = { type: "code_interpreter", container: { type: "auto" } };
const sessions = ({ children }: Facts) =>
  children.map(({ key, startedAtMs, facts }) => ({
    id: derivedId(startedAtMs, ...key),
    at: (startedAtMs / 1000 - NOON) / 60,
    fee: tools(facts)[0]?.split(" ")[0],
  }));

test("a container costs once for twenty minutes, whatever uses it", async () => {
  const id = container(NOON);
  const twice = await respond({ output: [ran(id), ran(id), said], tools: [auto] });
  expect(tools(twice)).toEqual([]);
  expect(sessions(twice).map(({ at, fee }) => ({ at, fee }))).toEqual([{ at: 0, fee: "tool:container:1g" }]);
  expect(twice.children[0]).toMatchObject({
    endpoint: "containers",
    key: [id],
    outcome: "completed",
    facts: { inherits: "resp_1" },
  });
  const later = (minutes: number) => respond({ created_at: NOON + minutes * 60, output: [ran(id)], tools: [auto] });
  expect(sessions(await later(19))).toEqual(sessions(twice));
  expect(sessions(await later(21)).map(({ at }) => at)).toEqual([20]);
  const other = container(NOON + 1);
  expect(sessions(await respond({ output: [ran(id), ran(other)], tools: [auto] })).map(({ id }) => id)).toHaveLength(2);
});

test("to make a container opens the session that a response then uses", async () => {
  const id = container(NOON);
  const made = await decode(
    exchange({
      path: "/v1/containers",
      request: { name: "work", memory_limit: "4g" },
      response: { id, object: "container", created_at: NOON, memory_limit: "4g", status: "running" },
    }),
  );
  expect(sessions(made)[0]?.fee).toBe("tool:container:4g");
  const named = { type: "code_interpreter", container: id };
  const used = await respond({ output: [ran(id)], tools: [named], created_at: NOON + 60 });
  expect(sessions(used)[0]?.id).toBe(sessions(made)[0]?.id);
  expect(used.children[0]?.facts.problems).toEqual(["container_size_assumed"]);
  expect(used.problems).toEqual([]);
  const looked = {
    method: "GET",
    path: `/v1/containers/${id}`,
    response: { id, object: "container", created_at: NOON },
  };
  expect((await decode(exchange(looked))).children).toEqual([]);
});

test("before containers had sizes their sessions had another name", async () => {
  const at = Date.UTC(2025, 8, 16) / 1000;
  const facts = await respond({ created_at: at, output: [ran(container(at))], tools: [auto] });
  expect(tools(facts.children[0]?.facts as Facts)[0]).toMatch(/^tool:code_interpreter container_session_1g/);
});

test.each([
  [
    "gpt-4o-search-preview-2025-03-11",
    { search_context_size: "low" },
    "gpt-4o-search-preview web_search_call_low_context",
  ],
  ["gpt-4o-mini-search-preview-2025-03-11", {}, "gpt-4o-mini-search-preview web_search_call_medium_context"],
  [
    "gpt-4o-mini-search-preview",
    { search_context_size: "huge" },
    "gpt-4o-mini-search-preview web_search_call_medium_context",
  ],
  ["gpt-4.1-search-preview", {}, "tool:web_search_preview:non_reasoning web_search_preview_call"],
  ["gpt-5-search-api-2025-10-14", {}, "tool:web_search web_search_call"],
])("a chat with %s searches once", async (model, web_search_options, line) => {
  const response = {
    id: "c",
    model,
    choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  };
  const facts = await decode(exchange({ request: { model, web_search_options, messages: [] }, response }));
  expect(tools(facts)).toEqual([`${line} none none 1 measured`]);
  expect(facts.problems).toEqual(["search_count_assumed"]);
  const refused = { error: { message: "no", type: "invalid_request_error" } };
  expect(tools(await decode(exchange({ request: { model }, status: 400, response: refused })))).toEqual([]);
});

test("tools without a fee, and calls of the application's own, add nothing", async () => {
  const output = ["mcp_call", "computer_call", "function_call", "local_shell_call", "mcp_list_tools", "reasoning"];
  const facts = await respond({ output: output.map((type) => ({ type, status: "completed" })) });
  expect(tools(facts)).toEqual([]);
  expect(facts.children).toEqual([]);
});

test("no two lines of a call are of the same kind, whatever tools it used", async () => {
  const facts = await respond({
    model: "gpt-4o-mini-2024-07-18",
    output: [search(), { type: "image_generation_call", status: "completed" }, said],
    tools: [{ type: "web_search" }, { type: "image_generation", model: "gpt-image-1" }],
    tool_usage: {
      image_gen: { input_tokens: 5, input_tokens_details: { text_tokens: 5, image_tokens: 0 }, output_tokens: 9 },
    },
  });
  const kind = ({ direction, modality, cache, unit }: UsageLine) => [direction, modality, cache, unit].join();
  expect(new Set(facts.lines.map(kind)).size).toBe(facts.lines.length);
  expect(facts.problems).toEqual(["search_content_added", "tool_cost_incomplete"]);
});
