import { expect, test } from "vitest";
import type { Call } from "#lib/call.ts";
import { callsOfCompany } from "#lib/demo/company.ts";
import { exchangeOf } from "#lib/demo/exchange.ts";
import type { Turn } from "#lib/demo/turn.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";

// Far more calls than shapes: nearly every call compared is one that was laid over a shape that another call had taught.
const OPTIONS = { seed: 7, untilMs: Date.parse("2026-11-20T16:00:00Z"), days: 60, calls: 40_000 };
const PER_KIND = 12;

const samples = new Map<string, { turn: Turn; call: Call }[]>();
for await (const { turns, calls } of callsOfCompany(OPTIONS))
  for (const [n, turn] of turns.entries()) {
    if (turn === null) continue;
    const list = samples.get(kindOf(turn)) ?? [];
    samples.set(kindOf(turn), list);
    // Late ones: the first of a shape went through the readers itself.
    list.push({ turn, call: calls[n] as Call });
    if (list.length > PER_KIND) list.shift();
  }

function kindOf({ script, streamed, ending, served }: Turn): string {
  const { kind, name } = script.template;
  const model = served.startsWith("gpt-6") ? " unknown model" : "";
  return `${kind} ${streamed ? "stream" : "json"} ${ending.kind}${script.tool ? " tool" : ""}${name ? "" : " unlabelled"}${model}`;
}

test("the sample holds every kind of call", () => {
  expect([...samples.keys()].sort()).toEqual(
    expect.arrayContaining([
      "audio stream client_aborted",
      "audio stream completed",
      "text json completed",
      "text json completed unknown model",
      "text json completed unlabelled",
      "text json rate_limited",
      "text stream client_aborted",
      "text stream client_aborted tool",
      "text stream completed",
      "text stream completed tool",
      "text stream interrupted",
      "text stream rate_limited",
      "text stream server_error",
      "vision json completed",
      "vision json rate_limited",
    ]),
  );
});

test.each([...samples.keys()].sort())("%s: a call that was made is the call that the recorder reads", async (kind) => {
  for (const { turn, call } of samples.get(kind) ?? []) {
    const exchange = exchangeOf(turn, call.origin);
    const read = await decodeExchange(exchange, {
      projectId: "default",
      contentKey: null,
      knownInstructions: new Set(),
    });
    expect(call).toEqual(read.call);
  }
});
