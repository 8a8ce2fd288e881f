import type { CallFacts } from "#db/queries/call-page.ts";

/** Their answers repeat, list or take away what another call generated. */
const REPEATS: ReadonlySet<string> = new Set([
  "chat_completions_list",
  "chat_completions_stored",
  "chat_completions_messages",
  "responses_retrieve",
  "responses_delete",
  "responses_cancel",
  "responses_input_items",
]);

const OTHERS: Readonly<Record<string, string>> = {
  batches:
    "Handing in a batch or asking for it is not billed: its lines are, as calls of their own once its results are known.",
  moderations: "Moderations are not billed.",
  models: "Asking for models is not billed.",
  responses_input_tokens: "Counting tokens is not billed.",
  realtime_client_secrets: "A key is not billed: the session that is opened with it is.",
  realtime_sessions: "A key is not billed: the session that is opened with it is.",
  realtime_transcription_sessions: "A key is not billed: the session that is opened with it is.",
  realtime_translations_client_secrets: "A key is not billed: the session that is opened with it is.",
};

/** Why a call without usage owes none. null: it may owe some, which is not known. */
export function unbilledSentence({
  endpoint,
  usageSource,
}: Pick<CallFacts, "endpoint" | "usageSource">): string | null {
  if (usageSource !== "none") return null;
  if (REPEATS.has(endpoint)) return "It is not billed: what was generated is counted with the call that did it.";
  return Object.hasOwn(OTHERS, endpoint) ? (OTHERS[endpoint] as string) : null;
}
