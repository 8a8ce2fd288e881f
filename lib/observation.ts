import type { Call, Content } from "./call.ts";

/** A call as it leaves for other systems. */
export interface Observation {
  call: Call;
  settings: RequestSettings;
  /** Redacted. null: nobody asked for it, or there is none. */
  content: Content | null;
}

/** How the model was asked to answer; no words of a prompt. null is "not said". */
export interface RequestSettings {
  maxTokens: number | null;
  temperature: number | null;
  topP: number | null;
  frequencyPenalty: number | null;
  presencePenalty: number | null;
  stopSequences: string[] | null;
  seed: number | null;
  choices: number | null;
  reasoningLevel: string | null;
  outputType: "text" | "json" | "speech" | null;
  /** Embeddings only. */
  dimensions: number | null;
  encodingFormat: string | null;
}
