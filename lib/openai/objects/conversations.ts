import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import type { Facts } from "../facts.ts";
import { readPlain } from "../plain.ts";

/** Conversations and what is in them: free, and what the calls that name them are grouped by. */
export function readConversation(exchange: Exchange, bodies: Bodies): Facts {
  const facts = readPlain(exchange, bodies);
  const made = bodies.response.kind === "json" && bodies.response.value.object === "conversation";
  facts.conversationId = inPath(exchange.start.upstreamTarget) ?? (made ? facts.responseId : null);
  return facts;
}

const inPath = (path: string): string | null => /\/conversations\/([^/?#]+)/.exec(path)?.[1] ?? null;
