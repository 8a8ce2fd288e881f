import type { Call } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import { decode } from "#lib/openai/decode.ts";
import { toStorable } from "#lib/privacy/seal.ts";
import { toCall } from "./to-call.ts";

export interface DecodedExchange {
  call: Call;
  payload: { sealed: Buffer; redactions: Record<string, number> } | null;
}

/** Exchange → call and sealed content. Content that cannot be redacted is dropped and the facts are kept. */
export async function decodeExchange(
  exchange: Exchange,
  options: { projectId: string; contentKey: Buffer | null },
): Promise<DecodedExchange> {
  const facts = await decode(exchange);
  const call = toCall(exchange, facts, options.projectId);
  if (!options.contentKey || isEmpty(facts.content)) return { call, payload: null };
  try {
    return { call, payload: toStorable(facts.content, options.contentKey) };
  } catch {
    call.problems.push("content_dropped:redaction_failed");
    return { call, payload: null };
  }
}

const isEmpty = (content: { input: unknown[]; output: unknown[]; tools: unknown[] }): boolean =>
  content.input.length === 0 && content.output.length === 0 && content.tools.length === 0;
