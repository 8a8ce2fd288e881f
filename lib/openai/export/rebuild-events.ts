import type { Message, Part } from "#lib/call.ts";
import type { JsonObject } from "../bodies/json.ts";
import type { Answered } from "./rebuild-answer.ts";
import { rebuildUsage } from "./rebuild-usage.ts";

/** An event of a recorded session. */
interface RecordedEvent {
  from: "server";
  event: JsonObject;
}

/** Calls that are no exchange but a part of a session. */
export const isOfSession = ({ call }: Pick<Answered, "call">): boolean => BUILT.has(call.endpoint);

/** A response of a session, or what was written down of its speech, as the events of a session that holds nothing else. */
export function rebuildEvents(answered: Answered): RecordedEvent[] {
  const build = BUILT.get(answered.call.endpoint);
  return (build?.(answered) ?? []).map((event) => ({ from: "server", event }));
}

const BUILT: ReadonlyMap<string, (answered: Answered) => JsonObject[]> = new Map([
  ["realtime", response],
  ["realtime_transcription", transcription],
]);

function response(answered: Answered): JsonObject[] {
  const { call, usage, content, tools } = answered;
  const output = content !== null && content.output.length > 0 ? content.output : calledOnly(tools);
  const id = call.responseId;
  return [
    { type: "session.created", session: { type: "realtime", model: call.model } },
    { type: "response.created", response: { id, object: "realtime.response", status: "in_progress", output: [] } },
    {
      type: "response.done",
      response: {
        id,
        object: "realtime.response",
        ...endOf(answered),
        conversation_id: call.conversationId,
        output: output.flatMap(itemsOf),
        usage: rebuildUsage(usage, call.endpoint),
      },
    },
  ];
}

/** Why it ended is its one reason; which status that goes with follows from how it ended. */
function endOf({ call }: Answered): JsonObject {
  const [reason] = call.finishReasons;
  if (call.outcome === "failed") {
    const error = { type: call.errorType, code: call.errorCode, message: call.errorMessage };
    return { status: "failed", status_details: { type: "failed", error } };
  }
  if (reason === undefined || reason === "completed") return { status: "completed", status_details: null };
  const status = call.outcome === "client_aborted" ? "cancelled" : "incomplete";
  return { status, status_details: { type: status, reason } };
}

const calledOnly = (tools: Answered["tools"]): Message[] =>
  tools.map(({ id, name, type }) => ({
    role: "assistant",
    parts: [{ type: "tool_call", id, name, arguments: "", kind: type }],
  }));

function itemsOf({ role, parts }: Message): JsonObject[] {
  const said = parts.flatMap(saidPart);
  const calls = parts.flatMap((part) =>
    part.type === "tool_call"
      ? [{ type: "function_call", call_id: part.id, name: part.name, arguments: part.arguments, status: "completed" }]
      : [],
  );
  return said.length > 0 ? [{ type: "message", role, status: "completed", content: said }, ...calls] : calls;
}

function saidPart(part: Part): JsonObject[] {
  if (part.type === "text") return [{ type: "output_text", text: part.text }];
  return part.type === "audio" ? [{ type: "output_audio", transcript: part.transcript ?? "" }] : [];
}

function transcription({ call, usage, content }: Answered): JsonObject[] {
  const text = content?.output.flatMap(({ parts }) => parts.map((part) => (part.type === "text" ? part.text : "")));
  const input = { transcription: { model: call.model ?? call.requestModel } };
  const item = { item_id: call.responseId ?? "item", content_index: 0 };
  const about = "conversation.item.input_audio_transcription";
  if (call.outcome === "failed") {
    const error = { type: call.errorType, code: call.errorCode, message: call.errorMessage };
    return [SESSION(input), { type: `${about}.failed`, ...item, error }];
  }
  const done = { transcript: text?.join("") ?? "", usage: rebuildUsage(usage, call.endpoint) };
  return [SESSION(input), { type: `${about}.completed`, ...item, ...done }];
}

const SESSION = (input: JsonObject): JsonObject => ({
  type: "session.created",
  session: { type: "realtime", audio: { input } },
});
