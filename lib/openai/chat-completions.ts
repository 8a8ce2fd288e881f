import type { Message, Part } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import { createAnswer, readAnswer } from "./answer.ts";
import type { Bodies } from "./bodies/body.ts";
import type { JsonObject } from "./bodies/json.ts";
import { asObject, asText, objectsIn, shortJson } from "./bodies/json.ts";
import { readParts } from "./bodies/parts.ts";
import type { Facts } from "./facts.ts";
import { noFacts } from "./no-facts.ts";
import { readRequest } from "./request.ts";
import { readChatSearchFee } from "./usage/fees.ts";

/** Chat completions: created, streamed, or stored and read again. */
export function readChatCompletion(exchange: Exchange, bodies: Bodies): Facts {
  const facts = noFacts();
  readRequest(facts, exchange, bodies.request);
  facts.content.input = objectsIn(bodies.request?.messages).map(readMessage);
  readAnswer(facts, exchange, bodies, createAnswer());
  if (facts.content.output.length > 0) readChatSearchFee(facts, bodies.request);
  return facts;
}

function readMessage(message: JsonObject): Message {
  const role = asText(message.role) ?? "unknown";
  if (role === "tool" || role === "function") return { role, parts: [toolResult(message)] };
  const parts = readParts(message.content);
  const refusal = asText(message.refusal);
  if (refusal) parts.push({ type: "refusal", text: refusal });
  for (const call of objectsIn(message.tool_calls)) parts.push(toolCall(call));
  const legacy = asObject(message.function_call);
  if (legacy) parts.push(functionPart(null, legacy));
  // An answer that was spoken is referred to by its id alone.
  const audio = asText(asObject(message.audio)?.id);
  if (audio) parts.push({ type: "audio", mediaType: null, bytes: null, name: audio });
  return { role, parts };
}

function toolResult(message: JsonObject): Part {
  const parts = readParts(message.content);
  const text = parts.map((part) => (part.type === "text" ? part.text : shortJson(part))).join("\n");
  return { type: "tool_result", id: asText(message.tool_call_id) ?? asText(message.name), text };
}

function toolCall(call: JsonObject): Part {
  const id = asText(call.id);
  const custom = asObject(call.custom);
  if (custom === null) return functionPart(id, asObject(call.function));
  return {
    type: "tool_call",
    id,
    name: asText(custom.name) ?? "",
    arguments: asText(custom.input) ?? "",
    kind: "custom",
  };
}

function functionPart(id: string | null, called: JsonObject | null): Part {
  const name = asText(called?.name) ?? "";
  return { type: "tool_call", id, name, arguments: asText(called?.arguments) ?? "", kind: "function" };
}
