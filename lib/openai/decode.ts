import type { Exchange } from "#lib/exchange.ts";
import { readChatAudio } from "./audio/chat-audio.ts";
import { readSpeech } from "./audio/speech.ts";
import { readTranscription } from "./audio/transcriptions.ts";
import { isChargedRefusal, regionOf, settleRefusal } from "./azure.ts";
import type { Bodies } from "./bodies/body.ts";
import { readBodies } from "./bodies/body.ts";
import { readChatCompletion } from "./chat-completions.ts";
import { readCompletion } from "./completions.ts";
import type { DecodeOptions } from "./decode-options.ts";
import { readEmbedding } from "./embeddings.ts";
import type { Endpoint, ReaderKind } from "./endpoints.ts";
import { findEndpoint } from "./endpoints.ts";
import type { Facts } from "./facts.ts";
import { hasHiddenParts, splitInput } from "./images/image-split.ts";
import { readImages } from "./images/images.ts";
import { readModeration } from "./moderations.ts";
import { noFacts } from "./no-facts.ts";
import { readBatch } from "./objects/batches.ts";
import { readCallSetup } from "./objects/call-setup.ts";
import { readContainer } from "./objects/containers.ts";
import { readConversation } from "./objects/conversations.ts";
import { readFile } from "./objects/files.ts";
import { readFineTuning } from "./objects/fine-tuning.ts";
import { readThread } from "./objects/threads.ts";
import { readPlain } from "./plain.ts";
import { BACKGROUND_UNFINISHED, readResponse } from "./responses.ts";
import { estimateUsage } from "./usage/estimate.ts";

/** Raise it when a reader learns something that calls already stored should know too: they are decoded again. */
export const DECODER_VERSION = 2;

/**
 * What the bodies of an exchange say. Never rejects: a fault in a reader costs this exchange's facts and is a problem
 * mark, not a gap. A promise only because few exchanges need one (compressed streams, estimates with the tokenizer).
 */
export async function decode(exchange: Exchange, options: DecodeOptions = {}): Promise<Facts> {
  try {
    return await read(exchange, options);
  } catch {
    return { ...noFacts(), problems: ["reader_failed"] };
  }
}

async function read(exchange: Exchange, options: DecodeOptions): Promise<Facts> {
  if (exchange.start.kind === "websocket") return noFacts();
  const endpoint = findEndpoint(exchange.start.method, exchange.start.upstreamTarget);
  const decoded = readBodies(exchange);
  const bodies = decoded instanceof Promise ? await decoded : decoded;
  const reading = READERS[endpoint.reader](exchange, bodies, options);
  const facts = reading instanceof Promise ? await reading : reading;
  if (endpoint.reader === "chat") readChatAudio(facts, bodies, options);
  facts.reread = endpoint.reread;
  facts.problems.unshift(...bodies.problems);
  // Any other answer was generated now.
  if (!endpoint.reread) facts.generatedAtMs = null;
  facts.region = regionOf(exchange.start);
  for (const child of facts.children) child.facts.region = facts.region;
  if (lacksUsage(endpoint, exchange, facts)) await estimate(facts, bodies);
  if (isGenerating(endpoint) && isChargedRefusal(exchange, facts)) {
    await estimate(facts, bodies);
    settleRefusal(facts);
  }
  if (hasHiddenParts(facts)) await split(facts, bodies);
  // A project can have another tier as its own: the answer mostly says which it was, and this one does not.
  if (facts.serviceTier === "auto" && facts.lines.length > 0) facts.problems.push("service_tier_not_stated");
  return facts;
}

type Reader = (exchange: Exchange, bodies: Bodies, options: DecodeOptions) => Facts | Promise<Facts>;

const READERS: Record<ReaderKind, Reader> = {
  chat: readChatCompletion,
  completions: readCompletion,
  responses: readResponse,
  batches: readBatch,
  files: (exchange, bodies) => readFile(exchange, bodies, readAs),
  containers: readContainer,
  fine_tuning: readFineTuning,
  threads: readThread,
  conversations: readConversation,
  call_setup: readCallSetup,
  transcription: readTranscription,
  speech: readSpeech,
  images: readImages,
  embedding: readEmbedding,
  moderation: readModeration,
  plain: readPlain,
};

/** A line of a batch is what an exchange of its endpoint would have been. */
function readAs(path: string, exchange: Exchange, bodies: Bodies): Facts | Promise<Facts> {
  return READERS[findEndpoint("POST", path).reader](exchange, bodies, {});
}

/** Facts are worth more than a guess: they are kept even if the guess fails. */
async function estimate(facts: Facts, { request }: Bodies): Promise<void> {
  try {
    await estimateUsage(facts, request);
  } catch {
    facts.problems.push("estimate_failed");
  }
}

async function split(facts: Facts, { request }: Bodies): Promise<void> {
  try {
    await splitInput(facts, request);
  } catch {
    facts.problems.push("image_split_failed");
  }
}

/** The shapes whose prompt and answer can be counted here. */
const isGenerating = ({ generates, reader }: Endpoint): boolean =>
  generates && (reader === "chat" || reader === "completions" || reader === "responses");

/**
 * An answer was produced, or a stream had been accepted and then broke off, and nobody said what it used: that costs
 * money and is estimated. A refused request is not; a background response will state its usage when it is retrieved.
 */
function lacksUsage(endpoint: Endpoint, exchange: Exchange, facts: Facts): boolean {
  if (!isGenerating(endpoint)) return false;
  if (facts.usage.source !== "none" || facts.problems.includes(BACKGROUND_UNFINISHED)) return false;
  const status = exchange.response?.status ?? 0;
  if (status < 200 || status >= 300) return false;
  const brokeOff = exchange.end?.ending !== "completed" || facts.outcome === "truncated";
  return facts.content.output.some(({ parts }) => parts.length > 0) || (facts.streamed && brokeOff);
}
