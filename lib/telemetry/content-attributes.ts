import type { Call, Content, Message, Part } from "#lib/call.ts";
import type { NullableAttributes } from "./own-attributes.ts";

/** Of one attribute's JSON. Collectors and backends commonly refuse or cut more than this. */
const CHARACTERS_MAX = 32_768;
const PART_CHARACTERS_MAX = 8192;

/**
 * What was said, in the conventions' message format, as JSON text (spans hold no structure). The content comes redacted.
 * Too long a text is shortened and says so; what is still too long loses its oldest messages (of the answer: its last
 * ones), and `omnimeter.content.cut` names the attributes that are not whole.
 */
export function contentAttributes(content: Content, call: Call): NullableAttributes {
  const cut = new Set<string>();
  const [first, ...rest] = content.input;
  // Responses state instructions beside the history, which the reader puts before it.
  const separate = call.endpoint.startsWith("responses") && first?.role === "system" ? first : null;

  const shorten = (name: string) => (text: string) => {
    if (text.length <= PART_CHARACTERS_MAX) return text;
    cut.add(name);
    return `${text.slice(0, PART_CHARACTERS_MAX)}… [cut: ${text.length - PART_CHARACTERS_MAX} more characters]`;
  };
  const fitting = (name: string, items: unknown[], drop: "first" | "last") => {
    const texts = items.map((item) => JSON.stringify(item));
    let size = texts.reduce((sum, text) => sum + text.length + 1, 1);
    while (size > CHARACTERS_MAX && texts.length > 0) {
      size -= ((drop === "first" ? texts.shift() : texts.pop()) as string).length + 1;
      cut.add(name);
    }
    return items.length > 0 ? `[${texts.join(",")}]` : null;
  };
  const parts = (name: string, message: Message) => message.parts.map((part) => toPart(part, shorten(name)));

  const history = (separate ? rest : content.input).map((message) => ({
    role: message.role,
    parts: parts(INPUT, message),
  }));
  const answers = byChoice(content.output).map(({ role, choice, messages }) => ({
    role,
    parts: messages.flatMap((message) => parts(OUTPUT, message)),
    finish_reason: finishReason(call, choice),
  }));
  return {
    [INSTRUCTIONS]: separate && fitting(INSTRUCTIONS, parts(INSTRUCTIONS, separate), "last"),
    [INPUT]: fitting(INPUT, history, "first"),
    [OUTPUT]: fitting(OUTPUT, answers, "last"),
    "omnimeter.content.cut": cut.size > 0 ? [...cut] : null,
  };
}

const INSTRUCTIONS = "gen_ai.system_instructions";
const INPUT = "gen_ai.input.messages";
const OUTPUT = "gen_ai.output.messages";

/** One message for each choice: the items of a response together are its only one. */
function byChoice(output: Message[]): { role: string; choice: number; messages: Message[] }[] {
  const choices = Map.groupBy(output, (message) => message.choice ?? 0);
  return [...choices].map(([choice, messages]) => ({ role: messages[0]?.role ?? "assistant", choice, messages }));
}

function finishReason({ finishReasons, outcome }: Call, choice: number): string {
  const reason = finishReasons[choice];
  if (reason === undefined) return outcome === "completed" ? "stop" : "error";
  return reason === "tool_calls" ? "tool_call" : reason;
}

function toPart(part: Part, shorten: (text: string) => string): Record<string, unknown> {
  switch (part.type) {
    case "text":
    case "refusal":
    case "reasoning":
      return { type: part.type, content: shorten(part.text) };
    case "tool_call":
      return { type: "tool_call", id: part.id, name: part.name, arguments: jsonOrText(shorten(part.arguments)) };
    case "tool_result":
      return { type: "tool_call_response", id: part.id, response: shorten(part.text) };
    case "other":
      return { type: part.kind, json: part.json };
    default:
      return mediaPart(part, shorten);
  }
}

/** Media is counted, not kept: without an address it is a part of its own kind, which the format allows. */
function mediaPart(
  { type, mediaType, bytes, url, name, transcript }: Extract<Part, { mediaType: string | null }>,
  shorten: (text: string) => string,
): Record<string, unknown> {
  const modality = type === "file" ? "document" : type;
  if (url !== undefined) return { type: "uri", modality, mime_type: mediaType, uri: shorten(url) };
  return { type, modality, mime_type: mediaType, bytes, name, transcript: transcript && shorten(transcript) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
