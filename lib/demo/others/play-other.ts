import { silentWav } from "../media.ts";
import type { Random } from "../random.ts";
import type { Answer, Asked } from "./answer.ts";
import { bytes, events, hex, json, objectIn, secondsSinceEpoch, textIn, tokens, tokensOf } from "./answer.ts";
import { beginBatch, lookAtBatch, takeFile } from "./batch.ts";
import { fieldIn, wavMsIn } from "./form.ts";
import { research } from "./play-research.ts";

/** What plays one path. `nowMs`: milliseconds since the epoch, for what says when it was made. */
type Player = (asked: Asked, random: Random, nowMs: number) => Answer;

/** Answers what is not a chat completion as OpenAI would; null: a path that nobody plays. */
export function playOther(asked: Asked, random: Random, nowMs: number): Answer | null {
  const player = PLAYERS.find(([method, path]) => method === asked.method && path.test(asked.path))?.[2];
  return player ? player(asked, random, nowMs) : null;
}

const PLAYERS: readonly (readonly [method: string, path: RegExp, Player])[] = [
  ["POST", /^audio\/(transcriptions|translations)$/, transcribe],
  ["POST", /^audio\/speech$/, speak],
  ["POST", /^embeddings$/, embed],
  ["POST", /^moderations$/, moderate],
  ["POST", /^images\/(generations|edits)$/, draw],
  ["POST", /^responses$/, research],
  ["POST", /^files$/, takeFile],
  ["POST", /^batches$/, beginBatch],
  ["GET", /^batches\/batch_[0-9a-f]{32}$/, lookAtBatch],
  ["GET", /^models$/, listModels],
];

const SAID = "Good morning everybody. Let us begin with the delivery dates, then the open complaints, then the budget.";
const USER_AUDIO_TOKENS_PER_SECOND = 10;

function transcribe({ body }: Asked, random: Random): Answer {
  const model = fieldIn(body, "model") ?? "whisper-1";
  const format = fieldIn(body, "response_format") ?? "json";
  const seconds = (wavMsIn(body) ?? 4000) / 1000;
  const text = SAID.slice(0, Math.max(12, Math.round(seconds * 15)));
  const thinksMs = 250 + seconds * 45;
  const usage = model.startsWith("whisper")
    ? { type: "duration", seconds: Math.ceil(seconds) }
    : {
        type: "tokens",
        ...tokens(Math.round(seconds * USER_AUDIO_TOKENS_PER_SECOND), tokensOf(text)),
        input_token_details: { text_tokens: 0, audio_tokens: Math.round(seconds * USER_AUDIO_TOKENS_PER_SECOND) },
      };
  if (format === "text") return bytes(random, "text/plain; charset=utf-8", Buffer.from(`${text}\n`), thinksMs, 0);
  if (fieldIn(body, "stream") !== "true") return json(random, { text, usage }, thinksMs);
  const words = text.split(/(?<= )/);
  return events(
    random,
    [
      ...words.map((delta, n) => ({ atMs: thinksMs + n * 30, event: { type: "transcript.text.delta", delta } })),
      { atMs: thinksMs + words.length * 30, event: { type: "transcript.text.done", text, usage } },
    ],
    false,
  );
}

/** People speak about fifteen characters a second. */
const CHARACTERS_PER_SECOND = 15;
const SPOKEN_TOKENS_PER_MINUTE = 1250;

function speak(asked: Asked, random: Random): Answer {
  const { input, stream_format } = objectIn(asked);
  const text = textIn(input, SAID);
  const ms = (text.length / CHARACTERS_PER_SECOND) * 1000;
  if (stream_format !== "sse") return bytes(random, "audio/wav", silentWav(ms), 320, 12);
  const parts = Math.max(1, Math.ceil(ms / 400));
  const audio = Buffer.alloc(400 * 48).toString("base64");
  const usage = tokens(tokensOf(text), Math.round((ms / 60_000) * SPOKEN_TOKENS_PER_MINUTE));
  return events(
    random,
    [
      ...Array.from({ length: parts }, (_, n) => ({
        atMs: 310 + n * 70,
        event: { type: "speech.audio.delta", audio },
      })),
      { atMs: 310 + parts * 70, event: { type: "speech.audio.done", usage } },
    ],
    false,
  );
}

const DIMENSIONS = 8;

function embed(asked: Asked, random: Random): Answer {
  const { input, model, encoding_format } = objectIn(asked);
  const inputs = Array.isArray(input) ? input : [input];
  const used = inputs.reduce<number>((sum, one) => sum + tokensOf(typeof one === "string" ? one : "number"), 0);
  const vector = Array.from({ length: DIMENSIONS }, () => random.next() - 0.5);
  const embedding =
    encoding_format === "base64" ? Buffer.from(new Float32Array(vector).buffer).toString("base64") : vector;
  return json(
    random,
    {
      object: "list",
      data: inputs.map((_, index) => ({ object: "embedding", index, embedding })),
      model: textIn(model, "text-embedding-3-small"),
      usage: { prompt_tokens: used, total_tokens: used },
    },
    60 + used / 20,
  );
}

function moderate(asked: Asked, random: Random): Answer {
  const flags = { harassment: false, violence: false };
  const results = [{ flagged: false, categories: flags, category_scores: { harassment: 0.0004, violence: 0.0001 } }];
  return json(
    random,
    { id: `modr-${hex(random, 24)}`, model: textIn(objectIn(asked).model, "omni-moderation-latest"), results },
    90,
  );
}

/** Output tokens of a picture of 1024 × 1024 (OpenAI's guide to image generation). */
const PICTURE_TOKENS: Readonly<Record<string, number>> = { low: 272, medium: 1056, high: 4160 };

function draw(asked: Asked, random: Random, nowMs: number): Answer {
  const body = objectIn(asked);
  const prompt = textIn(body.prompt, fieldIn(asked.body, "prompt") ?? "a kettle on a wooden table");
  const quality = textIn(body.quality, "medium");
  const image = PICTURE_TOKENS[quality] ?? 1056;
  const input = tokensOf(prompt);
  const usage = {
    ...tokens(input, image),
    input_tokens_details: { text_tokens: input, image_tokens: 0 },
    output_tokens_details: { text_tokens: 0, image_tokens: image },
  };
  const picture = PIXEL;
  if (body.stream !== true)
    return json(random, { created: secondsSinceEpoch(nowMs), data: [{ b64_json: picture }], usage }, 3000 + image * 4);
  return events(
    random,
    [
      {
        atMs: 2400,
        event: { type: "image_generation.partial_image", b64_json: picture, partial_image_index: 0 },
      },
      {
        atMs: 3000 + image * 4,
        event: { type: "image_generation.completed", b64_json: picture, usage },
      },
    ],
    true,
  );
}

/** One black pixel. */
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==";

/** The family that is about to go, with the day that OpenAI names. */
const SHUTDOWNS: Readonly<Record<string, string>> = {
  "gpt-4o-2024-11-20": "2027-01-14",
  "gpt-4o-mini-2024-07-18": "2027-01-14",
  "whisper-1": "2027-02-26",
};

function listModels(_: Asked, random: Random): Answer {
  const data = Object.entries(SHUTDOWNS).map(([id, day]) => ({
    id,
    object: "model",
    owned_by: "system",
    shutdown_date: day,
  }));
  return json(random, { object: "list", data }, 30);
}
