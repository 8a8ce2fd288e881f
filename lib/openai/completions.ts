import type { Message } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import { createAnswer, readAnswer } from "./answer.ts";
import type { Bodies } from "./bodies/body.ts";
import { asText } from "./bodies/json.ts";
import type { Facts } from "./facts.ts";
import { noFacts } from "./no-facts.ts";
import { readRequest } from "./request.ts";

/** Legacy completions: prompts instead of messages, otherwise answered like chat. */
export function readCompletion(exchange: Exchange, bodies: Bodies): Facts {
  const facts = noFacts();
  readRequest(facts, exchange, bodies.request);
  facts.content.input = prompts(bodies.request?.prompt);
  readAnswer(facts, exchange, bodies, createAnswer());
  return facts;
}

/** One text or a list of them. A prompt of token numbers is left out: it is not text. */
function prompts(prompt: unknown): Message[] {
  const texts = Array.isArray(prompt) ? prompt : [prompt];
  return texts.flatMap((item) => {
    const text = asText(item);
    return text === null ? [] : [{ role: "user", parts: [{ type: "text", text }] }];
  });
}
