import type { Call } from "#lib/call.ts";

export interface Operation {
  /** `gen_ai.operation.name`. */
  name: string;
  /**
   * Which of the conventions' families it belongs to: a generation, embeddings, or something else that a model or its
   * provider did. A session is as long as its socket, so its length says nothing about the model.
   */
  family: "inference" | "embeddings" | "other" | "session";
  /** `openai.api.type`, where the conventions have one. */
  apiType?: "chat_completions" | "responses";
}

/** null: no GenAI operation (files, models, an unknown path), which gets a plain span. */
export function operationOf({ endpoint, method }: Call): Operation | null {
  if (FETCHED_BY_GET.has(endpoint)) return method === "GET" ? { name: "fetch_response", family: "other" } : null;
  // A GET is the upgrade to a WebSocket, on which many responses may come.
  if (endpoint === "responses" && method === "GET") return { name: "chat", family: "session", apiType: "responses" };
  return OPERATIONS[endpoint] ?? null;
}

const FETCHED_BY_GET = new Set(["chat_completions_stored", "responses_retrieve"]);

/** By row of lib/openai/endpoints.ts. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  chat_completions: { name: "chat", family: "inference", apiType: "chat_completions" },
  responses: { name: "chat", family: "inference", apiType: "responses" },
  completions: { name: "text_completion", family: "inference" },
  embeddings: { name: "embeddings", family: "embeddings" },
  // The conventions name none of these yet, and ask for a custom name then. The first three follow their drafts.
  audio_transcriptions: { name: "speech_to_text", family: "inference" },
  audio_translations: { name: "speech_to_text", family: "inference" },
  audio_speech: { name: "text_to_speech", family: "inference" },
  images_generations: { name: "image_generation", family: "inference" },
  images_edits: { name: "image_edit", family: "inference" },
  images_variations: { name: "image_variation", family: "inference" },
  responses_compact: { name: "compact_response", family: "inference", apiType: "responses" },
  threads_run: { name: "run_thread", family: "other" },
  moderations: { name: "moderation", family: "other" },
  realtime: { name: "realtime", family: "session" },
  realtime_translations: { name: "realtime", family: "session" },
};
