import type { Random } from "../random.ts";
import type { Answer, Asked, TimedEvent } from "./answer.ts";
import { events, hex, json, objectIn, secondsSinceEpoch, textIn, tokens, tokensOf } from "./answer.ts";

const FOUND =
  "Two carriers changed their prices this month: the northern one by 3 percent, the coastal one not at all. Both dates are from their own pages.";

/** What aliases are answered as. */
const SERVED: Readonly<Record<string, string>> = {
  "gpt-4o": "gpt-4o-2024-11-20",
  "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
};

/** A streamed answer of Responses, after searches that cost a fee. */
export function research(asked: Asked, random: Random, nowMs: number): Answer {
  const body = objectIn(asked);
  const model = SERVED[textIn(body.model, "gpt-4o")] ?? textIn(body.model, "gpt-4o");
  const wanted = new Set(Array.isArray(body.tools) ? body.tools.map((tool: { type?: string }) => tool.type) : []);
  const searches = wanted.has("web_search") ? 1 + random.below(2) : 0;
  const calls = [
    ...Array.from({ length: searches }, () => ({
      id: `ws_${hex(random, 32)}`,
      type: "web_search_call",
      status: "completed",
      action: { type: "search", query: "carrier prices this month" },
    })),
    ...(wanted.has("file_search")
      ? [
          {
            id: `fs_${hex(random, 32)}`,
            type: "file_search_call",
            status: "completed",
            queries: ["delivery terms"],
            results: null,
          },
        ]
      : []),
  ];
  const input = tokensOf(textIn(body.input, "")) + 900 + searches * 2600;
  const message = {
    id: `msg_${hex(random, 32)}`,
    type: "message",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: FOUND, annotations: [] }],
  };
  const id = `resp_${hex(random, 48)}`;
  const shared = { id, object: "response", created_at: secondsSinceEpoch(nowMs), model, tools: body.tools ?? [] };
  const done = {
    ...shared,
    status: "completed",
    service_tier: "default",
    previous_response_id: body.previous_response_id ?? null,
    output: [...calls, message],
    usage: {
      ...tokens(input, tokensOf(FOUND)),
      input_tokens_details: { cached_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    },
    tool_usage: { web_search: { num_requests: searches } },
  };
  if (body.stream !== true) return json(random, done, 1800 + searches * 900);
  const words = FOUND.split(/(?<= )/);
  const startMs = 900 + searches * 900;
  const list: TimedEvent[] = [
    {
      atMs: 40,
      event: {
        type: "response.created",
        response: { ...shared, status: "in_progress", output: [], usage: null },
      },
    },
    ...calls.map((item, n) => ({
      atMs: 500 + n * 900,
      event: { type: "response.output_item.done", output_index: n, item },
    })),
    ...words.map((delta, n) => ({
      atMs: startMs + n * 18,
      event: {
        type: "response.output_text.delta",
        item_id: message.id,
        output_index: calls.length,
        content_index: 0,
        delta,
      },
    })),
    { atMs: startMs + words.length * 18, event: { type: "response.completed", response: done } },
  ];
  return events(
    random,
    list.map(({ atMs, event }, n) => ({ atMs, event: { ...event, sequence_number: n } })),
    true,
  );
}
