import { silentWav } from "../media.ts";
import type { Random } from "../random.ts";
import type { Asked } from "./answer.ts";
import { formOf } from "./form.ts";

/** A kind of call that is not a chat completion, and how often the company makes it. */
export interface OtherKind {
  readonly name: string;
  readonly weight: number;
  /** Which part of the product asks. */
  readonly feature: string;
  readonly template: string | null;
  readonly tags: Readonly<Record<string, string>>;
  ask(random: Random): Asked;
}

const post = (path: string, value: unknown): Asked => ({
  method: "POST",
  path,
  contentType: "application/json",
  body: Buffer.from(JSON.stringify(value)),
});

/** Recordings of meetings, from some seconds to a minute and a half. */
function recording(random: Random, model: string, more: readonly { name: string; value: string }[]): Asked {
  const ms = Math.min(90_000, Math.round(random.logNormal(14_000, 0.7)));
  const file = { name: "file", value: silentWav(ms), file: { name: "meeting.wav", type: "audio/wav" } };
  // Official clients send the file first.
  const form = formOf([file, { name: "model", value: model }, ...more]);
  return { method: "POST", path: "audio/transcriptions", ...form };
}

const NOTICE = "Your order has left our warehouse and will be with you tomorrow between nine and noon.";
const PASSAGES = [
  "Exports are made under Settings, Data.",
  "An export holds at most 90 days.",
  "Pro and Enterprise have SAML.",
  "The desktop app runs on macOS and Windows.",
];

export const OTHER_KINDS: readonly OtherKind[] = [
  {
    name: "transcription",
    weight: 20,
    feature: "meeting-notes",
    template: null,
    tags: { team: "meetings" },
    ask: (random) => recording(random, random.chance(0.7) ? "gpt-4o-transcribe" : "gpt-4o-mini-transcribe", []),
  },
  {
    name: "transcription stream",
    weight: 6,
    feature: "meeting-notes",
    template: null,
    tags: { team: "meetings" },
    ask: (random) => recording(random, "gpt-4o-transcribe", [{ name: "stream", value: "true" }]),
  },
  {
    name: "transcription text",
    weight: 5,
    feature: "meeting-notes",
    template: null,
    tags: { team: "meetings" },
    ask: (random) => recording(random, "whisper-1", [{ name: "response_format", value: "text" }]),
  },
  {
    name: "speech",
    weight: 8,
    feature: "read-aloud",
    template: null,
    tags: { team: "editor" },
    ask: (random) =>
      post("audio/speech", {
        model: random.chance(0.6) ? "gpt-4o-mini-tts" : "tts-1",
        input: NOTICE,
        voice: "sage",
        response_format: "wav",
      }),
  },
  {
    name: "speech stream",
    weight: 5,
    feature: "read-aloud",
    template: null,
    tags: { team: "editor" },
    ask: () => post("audio/speech", { model: "gpt-4o-mini-tts", input: NOTICE, voice: "sage", stream_format: "sse" }),
  },
  {
    name: "embedding",
    weight: 26,
    feature: "search-index",
    template: null,
    tags: { team: "search" },
    ask: (random) =>
      post("embeddings", {
        model: "text-embedding-3-small",
        input: PASSAGES.slice(0, 1 + random.below(PASSAGES.length)),
        encoding_format: "base64",
      }),
  },
  {
    name: "moderation",
    weight: 9,
    feature: "support-chat",
    template: null,
    tags: { team: "support" },
    ask: () => post("moderations", { model: "omni-moderation-latest", input: "Where is my parcel?" }),
  },
  {
    name: "image",
    weight: 4,
    feature: "product-shots",
    template: "product_shot",
    tags: { team: "shop" },
    ask: (random) =>
      post("images/generations", {
        model: "gpt-image-1.5",
        prompt: "A blue enamel kettle on a wooden table, morning light, no text",
        quality: random.pick(["low", "medium"]),
        size: "1024x1024",
        ...(random.chance(0.5) && { stream: true, partial_images: 1 }),
      }),
  },
  {
    name: "research",
    weight: 9,
    feature: "market-watch",
    template: "price_watch",
    tags: { team: "buying" },
    ask: (random) =>
      post("responses", {
        model: random.chance(0.6) ? "gpt-4o-2024-11-20" : "gpt-4o-mini",
        instructions: "You watch the prices of carriers. Name the source and the date of every figure.",
        input: "Which carriers changed their prices this month?",
        tools: random.chance(0.7)
          ? [{ type: "web_search" }]
          : [{ type: "file_search", vector_store_ids: ["vs_terms"] }],
        stream: true,
      }),
  },
];
