import { describe, expect, it } from "vitest";
import type { Exchange, ExchangeEnding } from "#lib/exchange.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { chatExchange, endOf } from "#tests/support/exchange.ts";

const CHUNK =
  'data: {"id":"c","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';
const STOP =
  'data: {"id":"c","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
const FAILED =
  'data: {"error":{"message":"overloaded","type":"server_error","param":null,"code":"server_is_overloaded"}}\n\n';

function stream(text: string, ending: ExchangeEnding | null): Exchange {
  const bytes = Buffer.from(text);
  const base = chatExchange({ request_: { model: "gpt-4o", stream: true, messages: [] } });
  return {
    ...base,
    response: {
      status: 200,
      headers: ["content-type", "text/event-stream"],
      headAtMs: 10,
      chunks: [{ atMs: 11, offset: 0, bytes }],
      bytes: bytes.length,
      cut: false,
    },
    end: ending && endOf({ ending }),
  };
}
const outcome = async (exchange: Exchange) =>
  (await decodeExchange(exchange, { projectId: "default", contentKey: null, knownInstructions: new Set<string>() }))
    .call.outcome;

describe("what clients and upstreams name", () => {
  it("is cut to a length that an index takes, so that no name can stop a spool", async () => {
    const long = "m".repeat(9000);
    const exchange = chatExchange({
      request_: { model: long, messages: [] },
      answer: { id: long, model: long, choices: [] },
    });
    const { call } = await decodeExchange(exchange, {
      projectId: "default",
      contentKey: null,
      knownInstructions: new Set<string>(),
    });
    expect([call.model, call.requestModel, call.responseId].map((one) => one?.length)).toEqual([128, 128, 512]);
  });
});

describe("an answer that is read again", () => {
  it("is a call of its own whose tokens are not counted a second time", async () => {
    const answer = {
      id: "resp_1",
      object: "response",
      status: "completed",
      model: "gpt-4o-2024-08-06",
      output: [],
      usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
    };
    const { start } = chatExchange();
    const target = "/v1/responses/resp_1";
    const exchange = chatExchange({ answer, start: { ...start, method: "GET", target, upstreamTarget: target } });
    const { call } = await decodeExchange(exchange, {
      projectId: "default",
      contentKey: null,
      knownInstructions: new Set<string>(),
    });
    expect(call).toMatchObject({
      outcome: "completed",
      responseId: "resp_1",
      lines: [],
      usage: { source: "none", inputTokens: null },
    });
    expect(call.problems).toContain("usage_of_another_call");
  });
});

describe("how a call ended", () => {
  it.each([
    ["a stream that came to its end", `${CHUNK}${STOP}data: [DONE]\n\n`, "completed", "completed"],
    ["a client that hung up in the middle", CHUNK, "client_aborted", "client_aborted"],
    [
      "a client that hung up once it had [DONE], as the official one does",
      `${CHUNK}${STOP}data: [DONE]\n\n`,
      "client_aborted",
      "completed",
    ],
    ["a client that hung up because of an error in the stream", `${CHUNK}${FAILED}`, "client_aborted", "failed"],
    ["an upstream that broke off", CHUNK, "upstream_reset", "truncated"],
    ["an upstream that ended without saying so", CHUNK, "completed", "truncated"],
    ["a process that died", CHUNK, null, "interrupted"],
    ["a proxy that was stopped and did not wait any longer", CHUNK, "interrupted", "interrupted"],
  ] as const)("%s", async (_, text, ending, expected) => expect(await outcome(stream(text, ending))).toBe(expected));

  it("an upstream that could not be reached, or that said no", async () => {
    expect(await outcome(chatExchange({ response: null, end: endOf({ ending: "unreachable" }) }))).toBe("unreachable");
    expect(await outcome(chatExchange({ response: null, end: endOf({ ending: "upstream_reset" }) }))).toBe(
      "unreachable",
    );
    const base = chatExchange({
      answer: { error: { message: "no", type: "invalid_request_error", param: null, code: null } },
    });
    expect(
      await outcome({ ...base, response: { ...(base.response as NonNullable<typeof base.response>), status: 400 } }),
    ).toBe("failed");
  });
});
