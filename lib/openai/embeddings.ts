import type { Message } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "./bodies/body.ts";
import { asArray, asText, objectsIn } from "./bodies/json.ts";
import type { Facts } from "./facts.ts";
import { noFacts, noUsage } from "./no-facts.ts";
import { readHttpError } from "./outcome.ts";
import { readRequest } from "./request.ts";
import { tokenInput } from "./usage/token-input.ts";
import { loadTokenizer } from "./usage/tokenizer.ts";
import { readUsage } from "./usage/usage.ts";
import { usageLine } from "./usage/usage-line.ts";

/** Texts or tokens in, vectors out (as numbers or base64), of which nothing is kept. Only the input is billed. */
export async function readEmbedding(exchange: Exchange, bodies: Bodies): Promise<Facts> {
  const facts = noFacts();
  const { request, response } = bodies;
  readRequest(facts, exchange, request);
  facts.content.input = texts(request?.input);
  facts.inputModalities = facts.content.input.length > 0 || tokenInput(request?.input) !== null ? ["text"] : [];
  const answer = response.kind === "json" ? response.value : null;
  facts.model = asText(answer?.model);
  readHttpError(facts, exchange, bodies);

  const produced = objectsIn(answer?.data).length > 0;
  const { usage, lines, problems } = readUsage(answer?.usage, { produced, mixedInput: false });
  Object.assign(facts, { usage, lines });
  facts.problems.push(...problems);
  if (usage.source === "none" && produced) await countInput(facts, request?.input);
  return facts;
}

/** A list of token numbers is left out: it is not text. */
function texts(input: unknown): Message[] {
  const list = Array.isArray(input) ? input : [input];
  return list.flatMap((item) => {
    const text = asText(item);
    return text === null ? [] : [{ role: "user", parts: [{ type: "text", text }] }];
  });
}

/** Tokens are counted; texts by the tokenizer of the embedding models. */
async function countInput(facts: Facts, input: unknown): Promise<void> {
  const given = tokenInput(input);
  const count = given === null ? await loadTokenizer("cl100k_base") : null;
  const list = typeof input === "string" ? [input] : asArray(input);
  const tokens = count === null ? (given ?? 0) : list.reduce<number>((sum, one) => sum + count(asText(one) ?? ""), 0);
  if (tokens === 0) return;
  const source = given === null ? "estimated" : "measured";
  const slack = Math.max(5, Math.ceil(tokens * 0.02));
  const bounds = { inputLow: Math.max(0, tokens - slack), inputHigh: tokens + slack, outputLow: 0, outputHigh: 0 };
  facts.usage = {
    ...noUsage(),
    source,
    inputTokens: tokens,
    outputTokens: 0,
    totalTokens: tokens,
    bounds: source === "estimated" ? bounds : null,
  };
  facts.lines = usageLine("input", "text", "token", tokens, source);
}
