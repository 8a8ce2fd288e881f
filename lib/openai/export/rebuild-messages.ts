import type { Message, Part } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { addressOf, formatOf, otherPart, placeholder, type Rebuild } from "./rebuild.ts";

/** The messages of a chat completion: what chat-completions.ts read, written back. */
export function rebuildMessages(input: readonly Message[], rebuild: Rebuild): JsonObject[] {
  return input.map((message) => rebuildMessage(message, rebuild));
}

function rebuildMessage({ role, parts }: Message, rebuild: Rebuild): JsonObject {
  const [first] = parts;
  if (first?.type === "tool_result") {
    const whose = role === "function" ? { name: first.id } : { tool_call_id: first.id };
    return { role, ...whose, content: first.text };
  }
  const refusal = parts.find((part) => part.type === "refusal");
  const spoken = parts.find((part) => role === "assistant" && part.type === "audio" && part.name !== undefined);
  const said = parts.filter((part) => part !== spoken && part.type !== "refusal" && part.type !== "tool_call");
  const calls = callsOf(parts);
  const isCarriedElsewhere = said.length === 0 && (refusal || spoken || Object.keys(calls).length > 0);
  return {
    role,
    ...(!isCarriedElsewhere && { content: contentOf(said, rebuild) }),
    ...(refusal?.type === "refusal" && { refusal: refusal.text }),
    ...(spoken?.type === "audio" && { audio: { id: spoken.name } }),
    ...calls,
  };
}

function contentOf(parts: readonly Part[], rebuild: Rebuild): string | JsonObject[] {
  const [only] = parts;
  if (only === undefined) return "";
  if (parts.length === 1 && only.type === "text") return only.text;
  return parts.map((part) => contentPart(part, rebuild));
}

function contentPart(part: Part, rebuild: Rebuild): JsonObject {
  switch (part.type) {
    case "image": {
      const url =
        addressOf(part, rebuild) ?? `data:${part.mediaType ?? "image/png"};base64,${placeholder(part, rebuild)}`;
      return { type: "image_url", image_url: { url, ...(part.detail && { detail: part.detail }) } };
    }
    case "audio":
      return { type: "input_audio", input_audio: { data: placeholder(part, rebuild), format: formatOf(part) } };
    case "file":
      return { type: "file", file: fileOf(part, rebuild) };
    case "other":
      return otherPart(part, rebuild);
    case "tool_call":
    case "tool_result":
      // Neither is ever read out of a message's content.
      return { type: "text", text: "" };
    default:
      return { type: "text", text: part.text };
  }
}

/** A file is named by its id alone when it was uploaded before. */
function fileOf(part: Extract<Part, { type: "image" | "audio" | "file" }>, rebuild: Rebuild): JsonObject {
  if (part.bytes === null && part.name !== undefined) return { file_id: part.name };
  return { ...(part.name !== undefined && { filename: part.name }), file_data: placeholder(part, rebuild) };
}

/** A call without an id is of the older kind, of which there is one at most. */
function callsOf(parts: readonly Part[]): JsonObject {
  const calls = parts.filter((part) => part.type === "tool_call");
  const [legacy] = calls;
  if (legacy && legacy.id === null) return { function_call: { name: legacy.name, arguments: legacy.arguments } };
  if (calls.length === 0) return {};
  return {
    tool_calls: calls.map(({ id, kind, name, arguments: text }) =>
      kind === "custom"
        ? { id, type: "custom", custom: { name, input: text } }
        : { id, type: "function", function: { name, arguments: text } },
    ),
  };
}
