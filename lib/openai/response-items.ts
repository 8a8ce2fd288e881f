import type { Message, Part, ToolCall } from "#lib/call.ts";
import type { JsonObject } from "./bodies/json.ts";
import { asArray, asObject, asText, objectsIn, shortJson } from "./bodies/json.ts";
import { base64Bytes, mediaType, readParts } from "./bodies/parts.ts";

/** An item of the request's input: a message, an earlier call or its result, a reference. */
export function readInputItem(value: unknown): Message[] {
  const item = asObject(value);
  if (item === null) return [];
  if (asText(item.role) !== null) return [{ role: asText(item.role) as string, parts: readParts(item.content) }];
  const type = asText(item.type) ?? "unknown";
  if (/_output$|^mcp_approval_response$/.test(type)) return [{ role: "tool", parts: [toolResult(item)] }];
  const parts = readItemParts(type, item);
  return parts.length > 0 ? [{ role: "assistant", parts }] : [];
}

/** null: the item says nothing (reasoning that is not shown). */
export function readOutputItem(item: JsonObject): Message | null {
  const type = asText(item.type) ?? "unknown";
  const role = asText(item.role) ?? "assistant";
  const parts = type === "message" ? readParts(item.content) : readItemParts(type, item);
  return parts.length > 0 ? { role, parts } : null;
}

/** Every item named `…_call` is a call of a tool: the application's own, or one of OpenAI's. */
export function toolCallOf(item: JsonObject): ToolCall | null {
  const type = asText(item.type) ?? "";
  if (!type.endsWith("_call")) return null;
  return {
    index: 0,
    id: asText(item.call_id) ?? asText(item.id),
    type: toolType(type),
    name: toolName(type, item),
    argumentBytes: Buffer.byteLength(toolArguments(item)),
    choice: 0,
  };
}

function readItemParts(type: string, item: JsonObject): Part[] {
  if (type === "reasoning") return reasoning(item);
  if (!type.endsWith("_call")) return [{ type: "other", kind: type, json: shortJson(item) }];
  const id = asText(item.call_id) ?? asText(item.id);
  const call: Part = {
    type: "tool_call",
    id,
    name: toolName(type, item),
    arguments: toolArguments(item),
    kind: toolType(type),
  };
  if (type === "image_generation_call" && asText(item.result)) {
    const image = { mediaType: mediaType("image", item.output_format), bytes: base64Bytes(asText(item.result)) };
    return [call, { type: "image", ...image }];
  }
  // OpenAI calls remote servers itself, so call and result are one item.
  const output = asText(item.output);
  return output === null ? [call] : [call, { type: "tool_result", id, text: output }];
}

function reasoning(item: JsonObject): Part[] {
  return [...objectsIn(item.summary), ...objectsIn(item.content)].flatMap((part) => {
    const text = asText(part.text);
    return text === null ? [] : [{ type: "reasoning", text }];
  });
}

function toolResult(item: JsonObject): Part {
  const id = asText(item.call_id) ?? asText(item.approval_request_id) ?? asText(item.id);
  const output = item.output ?? item.approve;
  const texts =
    asArray(output).length > 0
      ? readParts(output).map((part) => (part.type === "text" ? part.text : shortJson(part)))
      : null;
  return { type: "tool_result", id, text: texts?.join("\n") ?? asText(output) ?? shortJson(output ?? null) };
}

function toolType(type: string): string {
  if (type === "function_call") return "function";
  return type === "custom_tool_call" ? "custom" : type;
}

function toolName(type: string, item: JsonObject): string {
  return asText(item.name) ?? (toolType(type) === type ? type.slice(0, -"_call".length) : "");
}

/** OpenAI's own tools each name their input differently. */
function toolArguments(item: JsonObject): string {
  const text = asText(item.arguments) ?? asText(item.input) ?? asText(item.code);
  if (text !== null) return text;
  const given = item.arguments ?? item.action ?? item.operation ?? item.queries ?? null;
  return given === null || given === "" ? "" : shortJson(given);
}
