/** Where the wire's own name would not be understood; others are read as they are written. */
const NAMES: Readonly<Record<string, string>> = {
  unknown: "Unknown endpoint",
  chat_completions_list: "Chat completions, listed",
  chat_completions_stored: "Chat completion, read again",
  chat_completions_messages: "Chat completion's messages",
  completions: "Completions (legacy)",
  responses_input_tokens: "Responses, tokens counted",
  responses_compact: "Responses, compacted",
  responses_retrieve: "Response, read again",
  responses_delete: "Response, deleted",
  responses_cancel: "Response, cancelled",
  responses_input_items: "Response's input items",
  audio_transcriptions: "Transcription",
  audio_translations: "Audio translation",
  audio_speech: "Speech",
  audio_voices: "Voices",
  audio_voice_consents: "Voice consents",
  images_generations: "Image generation",
  images_edits: "Image edit",
  images_variations: "Image variation",
  realtime: "Realtime",
  realtime_client_secrets: "Realtime, client secret",
  realtime_sessions: "Realtime, session key",
  realtime_transcription_sessions: "Realtime, transcription key",
  realtime_transcription: "Realtime, input transcription",
  realtime_translations: "Realtime translation",
  realtime_translations_client_secrets: "Realtime translation, client secret",
  realtime_calls: "Realtime, WebRTC or SIP",
  threads_run: "Assistant run",
};

/** "chat_completions" → "Chat completions" */
export function endpointName(name: string): string {
  const known = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  const text = name.replaceAll("_", " ");
  return known ?? text.charAt(0).toUpperCase() + text.slice(1);
}
