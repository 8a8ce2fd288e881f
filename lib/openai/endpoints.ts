/** Which reader understands the bodies; the plain one reads model, id and error of any. */
export type ReaderKind =
  | "chat"
  | "completions"
  | "responses"
  | "batches"
  | "files"
  | "containers"
  | "fine_tuning"
  | "threads"
  | "conversations"
  | "call_setup"
  | "transcription"
  | "speech"
  | "images"
  | "embedding"
  | "moderation"
  | "plain";

export interface Endpoint {
  readonly name: string;
  /** `*`: any method. A WebSocket counts as GET. */
  readonly methods: readonly string[];
  /** Below `/v1`. `{}` is one segment, a last `*` is any rest, also none. */
  readonly path: string;
  readonly reader: ReaderKind;
  /** One request is a generation that can cost money. */
  readonly generates: boolean;
  /** The answer repeats one that another exchange generated: never counted again. */
  readonly reread: boolean;
}

/**
 * The row for a request. `path` is the path as it goes upstream; a query string is ignored (clients add `?beta=true`
 * and the like). Three families of paths are known: `…/v1/x`, Azure's `/openai/v1/x` and its dated
 * `/openai/deployments/{deployment}/x` and `/openai/x`.
 */
export function findEndpoint(method: string, path: string): Endpoint {
  const segments = pathBelowVersion(path).split("/");
  for (const { endpoint, pattern } of ROWS_BY_FIRST_SEGMENT.get(segments[0] ?? "") ?? []) {
    if (fits(pattern, segments) && fitsMethod(endpoint, method)) return endpoint;
  }
  return UNKNOWN;
}

/** Azure's dated paths name the deployment where the body need not name a model. */
export function deploymentInPath(path: string): string | null {
  const match = /\/openai\/deployments\/([^/?]+)\//.exec(path);
  if (!match?.[1]) return null;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return match[1];
  }
}

/** The file whose content a path asks for. */
export function fileInPath(path: string): string | null {
  return /\/files\/([^/?#]+)\/content\/?(?:[?#]|$)/.exec(path)?.[1] ?? null;
}

export const UNKNOWN: Endpoint = {
  name: "unknown",
  methods: ["*"],
  path: "*",
  reader: "plain",
  generates: false,
  reread: false,
};

/** First fit wins, so exact rows stand before rows with `{}` and `*`. */
export const ENDPOINTS: readonly Endpoint[] = [
  row("chat_completions", "POST", "chat/completions", "chat", "generates"),
  row("chat_completions_list", "GET", "chat/completions"),
  row("chat_completions_stored", "GET POST DELETE", "chat/completions/{}", "chat", "reread"),
  row("chat_completions_messages", "GET", "chat/completions/{}/messages"),

  // A GET is the upgrade to a WebSocket.
  row("responses", "POST GET", "responses", "responses", "generates"),
  row("responses_input_tokens", "POST", "responses/input_tokens"),
  row("responses_compact", "POST", "responses/compact", "responses", "generates"),
  row("responses_retrieve", "GET", "responses/{}", "responses", "reread"),
  row("responses_delete", "DELETE", "responses/{}"),
  row("responses_cancel", "POST", "responses/{}/cancel", "responses", "reread"),
  row("responses_input_items", "GET", "responses/{}/input_items"),
  row("conversations", "*", "conversations/*", "conversations"),

  row("completions", "POST", "completions", "completions", "generates"),
  row("embeddings", "POST", "embeddings", "embedding", "generates"),
  row("moderations", "POST", "moderations", "moderation"),
  row("models", "*", "models/*"),

  row("audio_transcriptions", "POST", "audio/transcriptions", "transcription", "generates"),
  row("audio_translations", "POST", "audio/translations", "transcription", "generates"),
  row("audio_speech", "POST", "audio/speech", "speech", "generates"),
  row("audio_voices", "*", "audio/voices/*"),
  row("audio_voice_consents", "*", "audio/voice_consents/*"),
  row("images_generations", "POST", "images/generations", "images", "generates"),
  row("images_edits", "POST", "images/edits", "images", "generates"),
  row("images_variations", "POST", "images/variations", "images", "generates"),
  row("videos", "*", "videos/*"),

  row("realtime", "GET", "realtime", "plain", "generates"),
  // What a realtime session writes down of what was said to it is a call of its own, but never a request: no method fits.
  row("realtime_transcription", "-", "realtime/*", "plain", "generates"),
  row("realtime_client_secrets", "POST", "realtime/client_secrets", "call_setup"),
  row("realtime_sessions", "POST", "realtime/sessions", "call_setup"),
  row("realtime_transcription_sessions", "POST", "realtime/transcription_sessions", "call_setup"),
  row("realtime_translations_client_secrets", "POST", "realtime/translations/client_secrets", "call_setup"),
  row("realtime_translations", "GET", "realtime/translations", "plain", "generates"),
  row("realtime_calls", "*", "realtime/calls/*", "call_setup"),
  row("live_sessions", "*", "live/sessions/*"),

  row("files", "*", "files/*", "files"),
  row("uploads", "*", "uploads/*"),
  // What a finished batch amounts to is a call of its own, but never a request: no method fits.
  row("batch", "-", "batches/*", "plain", "generates"),
  row("batches", "*", "batches/*", "batches"),
  row("fine_tuning", "*", "fine_tuning/*", "fine_tuning"),
  row("containers", "*", "containers/*", "containers"),
  row("vector_stores", "*", "vector_stores/*"),

  row("assistants", "*", "assistants/*"),
  row("threads_run", "POST", "threads/runs", "threads", "generates"),
  row("threads_run", "POST", "threads/{}/runs", "threads", "generates"),
  row("threads_run", "POST", "threads/{}/runs/{}/submit_tool_outputs", "threads", "generates"),
  row("threads", "*", "threads/*", "threads"),

  row("evals", "*", "evals/*"),
  row("vaults", "*", "vaults/*"),
  row("skills", "*", "skills/*"),
  row("chatkit", "*", "chatkit/*"),
  row("agents", "*", "agents/*"),
  row("decisions", "*", "decisions/*"),
  row("content_provenance_checks", "*", "content_provenance_checks/*"),
  row("webhook_endpoints", "*", "webhook_endpoints/*"),
  row("safety", "*", "safety/*"),
  row("organization", "*", "organization/*"),
];

const ROWS_BY_FIRST_SEGMENT = Map.groupBy(
  ENDPOINTS.map((endpoint) => ({ endpoint, pattern: endpoint.path.split("/") })),
  ({ pattern }) => pattern[0] ?? "",
);

function row(
  name: string,
  methods: string,
  path: string,
  reader: ReaderKind = "plain",
  effect: "generates" | "reread" | null = null,
): Endpoint {
  return {
    name,
    methods: methods.split(" "),
    path,
    reader,
    generates: effect === "generates",
    reread: effect === "reread",
  };
}

/** Without query, version prefix and slashes at either end. An upstream may live below a path of its own (`/api/v1`). */
function pathBelowVersion(path: string): string {
  const bare = path.replace(/[?#].*$/s, "");
  const below =
    /^.*?\/v1\/(.*)$/s.exec(bare)?.[1] ??
    /\/openai\/deployments\/[^/]+\/(.*)$/s.exec(bare)?.[1] ??
    /\/openai\/(.*)$/s.exec(bare)?.[1] ??
    bare;
  return below.replace(/^\/+|\/+$/g, "");
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  for (const [index, expected] of pattern.entries()) {
    if (expected === "*") return true;
    const segment = segments[index];
    if (!segment || (expected !== "{}" && expected !== segment)) return false;
  }
  return segments.length === pattern.length;
}

function fitsMethod(endpoint: Endpoint, method: string): boolean {
  return endpoint.methods[0] === "*" || endpoint.methods.includes(method);
}
