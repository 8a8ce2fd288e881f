import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "./body.ts";
import { readBodies } from "./body.ts";
import { readChatCompletion } from "./chat-completions.ts";
import { readCompletion } from "./completions.ts";
import type { Endpoint, ReaderKind } from "./endpoints.ts";
import { findEndpoint } from "./endpoints.ts";
import { estimateUsage } from "./estimate.ts";
import type { Facts } from "./facts.ts";
import { noFacts } from "./no-facts.ts";
import { readPlain } from "./plain.ts";
import { BACKGROUND_UNFINISHED, readResponse } from "./responses.ts";

/** Raise it when a reader learns something that calls already stored should know too: they are decoded again. */
export const DECODER_VERSION = 1;

/**
 * What the bodies of an exchange say. Never rejects: a fault in a reader costs this exchange's facts and is a problem
 * mark, not a gap. A promise only because few exchanges need one (compressed streams, estimates with the tokenizer).
 */
export async function decode(exchange: Exchange): Promise<Facts> {
  try {
    return await read(exchange);
  } catch {
    return { ...noFacts(), problems: ["reader_failed"] };
  }
}

async function read(exchange: Exchange): Promise<Facts> {
  if (exchange.start.kind === "websocket") return noFacts();
  const endpoint = findEndpoint(exchange.start.method, exchange.start.upstreamTarget);
  const decoded = readBodies(exchange);
  const bodies = decoded instanceof Promise ? await decoded : decoded;
  const facts = READERS[endpoint.reader](exchange, bodies);
  facts.reread = endpoint.reread;
  facts.problems.unshift(...bodies.problems);
  if (lacksUsage(endpoint, exchange, facts)) await estimate(facts, bodies);
  return facts;
}

const READERS: Record<ReaderKind, (exchange: Exchange, bodies: Bodies) => Facts> = {
  chat: readChatCompletion,
  completions: readCompletion,
  responses: readResponse,
  plain: readPlain,
};

/** Facts are worth more than a guess: they are kept even if the guess fails. */
async function estimate(facts: Facts, { request }: Bodies): Promise<void> {
  try {
    await estimateUsage(facts, request);
  } catch {
    facts.problems.push("estimate_failed");
  }
}

/**
 * An answer was produced, or a stream had been accepted and then broke off, and nobody said what it used: that costs
 * money and is estimated. A refused request is not; a background response will state its usage when it is retrieved.
 */
function lacksUsage(endpoint: Endpoint, exchange: Exchange, facts: Facts): boolean {
  if (!endpoint.generates || endpoint.reader === "plain" || endpoint.reread) return false;
  if (facts.usage.source !== "none" || facts.problems.includes(BACKGROUND_UNFINISHED)) return false;
  const status = exchange.response?.status ?? 0;
  if (status < 200 || status >= 300) return false;
  const brokeOff = exchange.end?.ending !== "completed" || facts.outcome === "truncated";
  return facts.content.output.some(({ parts }) => parts.length > 0) || (facts.streamed && brokeOff);
}
