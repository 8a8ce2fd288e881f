import type { Message, Part } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import { textOf } from "../bodies/parts.ts";
import { addressOf, formatOf, otherPart, placeholder, type Rebuild } from "./rebuild.ts";

/** Instructions and input of a response: what responses.ts read, written back. */
export function rebuildInput(input: readonly Message[], hasStoredPrompt: boolean, rebuild: Rebuild): JsonObject {
  const [first] = input;
  const opens = first?.role === "system" && first.parts.every(({ type }) => type === "text");
  const messages = opens ? input.slice(1) : input;
  // The response of a stored prompt repeats the prompt's messages, and they were read as its instructions.
  if (hasStoredPrompt) rebuild.note("The messages of the stored prompt may stand in the input once more.");
  const [only] = messages;
  const isText =
    messages.length === 1 && only?.role === "user" && only.parts.length === 1 && only.parts[0]?.type === "text";
  return {
    ...(opens && !hasStoredPrompt && { instructions: textOf(first) }),
    ...(isText ? { input: textOf(only) } : messages.length > 0 && { input: itemsOf(messages, rebuild) }),
  };
}

function itemsOf(messages: readonly Message[], rebuild: Rebuild): JsonObject[] {
  const kinds = new Map<string | null, string>();
  return messages.flatMap(({ role, parts }) => {
    const items: JsonObject[] = [];
    const said: Part[] = [];
    for (const part of parts) {
      if (part.type === "tool_call") {
        kinds.set(part.id, part.kind);
        items.push(...callItem(part, rebuild));
      } else if (part.type === "tool_result") items.push(...resultItem(part, kinds.get(part.id), rebuild));
      else if (part.type === "reasoning") rebuild.note("Reasoning of earlier turns is left out.");
      else if (part.type === "other" && parts.length === 1 && !part.kind.startsWith("input_"))
        items.push(otherPart(part, rebuild));
      else said.push(part);
    }
    return said.length > 0 || parts.length === 0
      ? [{ role, content: contentOf(said, role, rebuild) }, ...items]
      : items;
  });
}

/** OpenAI runs its own tools itself: such a call cannot be sent again as one. */
function callItem(
  { id, kind, name, arguments: text }: Extract<Part, { type: "tool_call" }>,
  { note }: Rebuild,
): JsonObject[] {
  if (kind === "function") return [{ type: "function_call", call_id: id, name, arguments: text }];
  if (kind === "custom") return [{ type: "custom_tool_call", call_id: id, name, input: text }];
  note("Calls of OpenAI's own tools in earlier turns are left out.");
  return [];
}

function resultItem(
  { id, text }: Extract<Part, { type: "tool_result" }>,
  kind: string | undefined,
  { note }: Rebuild,
): JsonObject[] {
  // A person's word on a call that OpenAI would make: stated as true or false.
  if (id?.startsWith("mcpr_"))
    return [{ type: "mcp_approval_response", approval_request_id: id, approve: text === "true" }];
  if (kind === "custom") return [{ type: "custom_tool_call_output", call_id: id, output: text }];
  if (kind === undefined || kind === "function") return [{ type: "function_call_output", call_id: id, output: text }];
  note("Calls of OpenAI's own tools in earlier turns are left out.");
  return [];
}

function contentOf(parts: readonly Part[], role: string, rebuild: Rebuild): string | JsonObject[] {
  const [only] = parts;
  if (only === undefined) return "";
  if (parts.length === 1 && only.type === "text") return only.text;
  return parts.map((part) => contentPart(part, role, rebuild));
}

function contentPart(part: Part, role: string, rebuild: Rebuild): JsonObject {
  switch (part.type) {
    case "text":
      return { type: role === "assistant" ? "output_text" : "input_text", text: part.text };
    case "refusal":
      return { type: "refusal", refusal: part.text };
    case "image": {
      const detail = part.detail && { detail: part.detail };
      if (part.name !== undefined) return { type: "input_image", file_id: part.name, ...detail };
      const url =
        addressOf(part, rebuild) ?? `data:${part.mediaType ?? "image/png"};base64,${placeholder(part, rebuild)}`;
      return { type: "input_image", image_url: url, ...detail };
    }
    case "audio":
      return { type: "input_audio", input_audio: { data: placeholder(part, rebuild), format: formatOf(part) } };
    case "file": {
      const url = addressOf(part, rebuild);
      if (url !== null) return { type: "input_file", file_url: url };
      if (part.bytes === null && part.name !== undefined) return { type: "input_file", file_id: part.name };
      return {
        type: "input_file",
        ...(part.name !== undefined && { filename: part.name }),
        file_data: placeholder(part, rebuild),
      };
    }
    case "other":
      return otherPart(part, rebuild);
    default:
      // Calls, results and reasoning are items of their own.
      return { type: "input_text", text: "" };
  }
}
