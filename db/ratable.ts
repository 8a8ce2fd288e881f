/** Endpoints that generate what people see or hear: embeddings are not rated. As in the `endpoint` column. */
const RATABLE_ENDPOINTS = [
  "chat_completions",
  "responses",
  "completions",
  "audio_transcriptions",
  "audio_translations",
  "audio_speech",
  "images_generations",
  "images_edits",
  "images_variations",
  "realtime",
  "realtime_translations",
  "threads_run",
];

/** SQL: a condition on `calls`, `ratings` or `rollup_calls`. Calls that a person could have rated. */
export const RATABLE = `(outcome = 'completed' and endpoint in (${RATABLE_ENDPOINTS.map((name) => `'${name}'`).join(", ")}))`;
