import type { Sql } from "postgres";
import { type RecordBatch, recordBatch } from "#db/record-batch.ts";
import { leaseSpool, touchSpool } from "#db/spool-lease.ts";
import type { Call, Usage, UsageLine } from "#lib/call.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { chatExchange } from "./exchange.ts";

export const MODEL = "gpt-4o-2024-08-06";

export const line = (over: Partial<UsageLine>): UsageLine => ({
  direction: "input",
  modality: "text",
  cache: "none",
  unit: "token",
  product: null,
  quantity: 1000,
  source: "reported",
  ...over,
});

/** 1,000 input and 100 output tokens: 0.0025 + 0.001 = 0.0035 USD on gpt-4o-2024-08-06. */
export const LINES = [line({}), line({ direction: "output", quantity: 100 })];

const TEMPLATE = decodeExchange(chatExchange(), {
  projectId: "default",
  contentKey: null,
  knownInstructions: new Set(),
}).then(({ call }) => call);

/** A call that began at a moment; an `id` in `over` decides instead. Without a usage in `over` it has the one that its lines come to. */
export async function callAt(ms: number, over: Partial<Call> = {}, lines = LINES): Promise<Call> {
  const id = over.id ?? createUuid7(() => ms)();
  const template = await TEMPLATE;
  const usage = usageOf(template.usage, lines);
  const given = { ...template, usage, model: MODEL, responseId: `chatcmpl-${id}`, ...over };
  const call = { ...given, id, startedAt: uuid7Ms(id) };
  return { ...call, operationId: id, lines: priceLines(lines, { ...call, inputTokens: call.usage.inputTokens }) };
}

/** A usage with the totals that these lines sum to, of which it tells no parts. */
export function usageOf(usage: Usage, lines: readonly UsageLine[]): Usage {
  const sum = (direction: UsageLine["direction"]) =>
    lines
      .filter((one) => one.direction === direction && one.unit === "token")
      .reduce((total, { quantity }) => total + quantity, 0);
  const [inputTokens, outputTokens] = [sum("input"), sum("output")];
  const parts = Object.fromEntries(Object.keys(usage).map((name) => [name, null])) as unknown as Usage;
  return { ...parts, source: usage.source, inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** A spool that calls are stored from as the recorder does. */
export async function storedSpool(sql: Sql, spool: string) {
  await leaseSpool(sql, spool, "me", false);
  let batches = 0;
  return async (calls: readonly Call[], over: Partial<RecordBatch> = {}) => {
    await touchSpool(sql, spool, "me");
    const from = { segment: Math.min(batches, 1), offset: batches };
    const high = { segment: 1, offset: ++batches };
    return recordBatch(sql, {
      spool,
      lease: "me",
      from,
      low: high,
      high,
      run: "run",
      runs: new Map([["run", { accepted: calls.length, started: calls.length, dropped: {}, atRisk: 0 }]]),
      calls: calls.map((call) => ({
        call: { ...call, origin: { ...call.origin, spool, run: "run" } },
        payload: { sealed: Buffer.from("said"), redactions: {} },
        words: null,
      })),
      feedback: [],
      sealForSetAside: (call) => Buffer.from(call.id),
      ...over,
    });
  };
}
