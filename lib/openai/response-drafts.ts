import type { JsonObject } from "./bodies/json.ts";
import { asObject, asText } from "./bodies/json.ts";
import { base64Bytes } from "./bodies/parts.ts";
import type { Saw } from "./marks.ts";

export interface Drafts {
  /** What of content the event brought, null for none. */
  add(type: string, event: JsonObject): Saw | null;
  /** The items as far as they were streamed, in order. */
  items(): JsonObject[];
}

/**
 * Output items put together from the events of a stream, for one that broke off before its last event repeats them all
 * (and for servers whose last event repeats nothing).
 */
export function createDrafts(): Drafts {
  const drafts = new Map<number, Draft>();
  return { add, items };

  function add(type: string, event: JsonObject): Saw | null {
    const delta = DELTAS[type];
    if (delta !== undefined) {
      const text = asText(event.delta);
      if (text === null) return null;
      draftAt(event).texts[delta.field] += delta.field === "audio" ? "" : text;
      if (delta.field === "audio") draftAt(event).audioBytes += base64Bytes(text) ?? 0;
      return delta.saw;
    }
    if (type === "response.output_item.added" || type === "response.output_item.done") {
      const draft = draftAt(event);
      draft.item = asObject(event.item) ?? draft.item;
      draft.whole ||= type.endsWith(".done");
    }
    return null;
  }

  function items(): JsonObject[] {
    return [...drafts].sort(([a], [b]) => a - b).map(([, draft]) => itemOf(draft));
  }

  function draftAt(event: JsonObject): Draft {
    const index = typeof event.output_index === "number" ? event.output_index : 0;
    let draft = drafts.get(index);
    if (!draft) {
      draft = {
        item: null,
        whole: false,
        audioBytes: 0,
        texts: { text: "", refusal: "", reasoning: "", input: "", audio: "", transcript: "" },
      };
      drafts.set(index, draft);
    }
    return draft;
  }
}

type Field = "text" | "refusal" | "reasoning" | "input" | "audio" | "transcript";

interface Draft {
  item: JsonObject | null;
  whole: boolean;
  audioBytes: number;
  readonly texts: Record<Field, string>;
}

const DELTAS: Record<string, { field: Field; saw: Saw } | undefined> = {
  "response.output_text.delta": { field: "text", saw: "text" },
  "response.refusal.delta": { field: "refusal", saw: "text" },
  "response.reasoning_text.delta": { field: "reasoning", saw: "other" },
  "response.reasoning_summary_text.delta": { field: "reasoning", saw: "other" },
  "response.function_call_arguments.delta": { field: "input", saw: "other" },
  "response.custom_tool_call_input.delta": { field: "input", saw: "other" },
  "response.mcp_call_arguments.delta": { field: "input", saw: "other" },
  "response.code_interpreter_call_code.delta": { field: "input", saw: "other" },
  "response.shell_call_command.delta": { field: "input", saw: "other" },
  "response.audio.delta": { field: "audio", saw: "audio" },
  "response.audio.transcript.delta": { field: "transcript", saw: "text" },
};

/** In the shape in which a whole response would hold it. */
function itemOf({ item, whole, texts, audioBytes }: Draft): JsonObject {
  if (whole && item !== null) return item;
  const type = asText(item?.type) ?? guessType(texts);
  if (type === "reasoning") return { ...item, type, summary: [{ type: "summary_text", text: texts.reasoning }] };
  if (type !== "message") {
    return { ...item, type, arguments: texts.input || asText(item?.arguments), input: texts.input || item?.input };
  }
  const content: JsonObject[] = [];
  if (texts.text) content.push({ type: "output_text", text: texts.text });
  if (texts.refusal) content.push({ type: "refusal", refusal: texts.refusal });
  if (audioBytes > 0 || texts.transcript) content.push({ type: "output_audio", transcript: texts.transcript });
  return { role: "assistant", ...item, type, content };
}

/** A resumed stream begins in the middle of an item whose beginning another exchange holds. */
function guessType(texts: Draft["texts"]): string {
  if (texts.input) return "function_call";
  return texts.reasoning && !texts.text ? "reasoning" : "message";
}
