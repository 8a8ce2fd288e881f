import type { Call, Content } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Observation } from "#lib/observation.ts";
import { DECODER_VERSION, decode } from "#lib/openai/decode.ts";
import type { Facts } from "#lib/openai/facts.ts";
import { readSettings } from "#lib/openai/settings.ts";
import { redactContent, redactText } from "#lib/privacy/redact.ts";
import { toStorable } from "#lib/privacy/seal.ts";
import { toCall } from "./to-call.ts";

export interface DecodedExchange {
  call: Call;
  payload: { sealed: Buffer; redactions: Record<string, number> } | null;
  /** The first words of the instructions, sealed, the first time that they are seen. */
  words: Buffer | null;
  /** For telemetry, when it is asked for. */
  observation?: Observation;
  /** Audio that is kept, sealed. */
  media?: SealedMedia[];
  /** A re-read: what it states is given to the call that generated it, if that has no usage of its own. */
  restates?: Restated;
}

export interface SealedMedia {
  index: number;
  direction: "input" | "output";
  mediaType: string;
  /** Before it was sealed. */
  bytes: number;
  sealed: Buffer;
}

/** What a later answer says of a call, under the provider's id. Priced as of the moment it was generated. */
export interface Restated {
  projectId: string;
  upstream: string;
  objectId: string;
  facts: Pick<Call, "model" | "serviceTier" | "usage" | "lines" | "finishReasons">;
}

/** What reads the bodies of an exchange, and how much it knows. */
export interface Decoder {
  version: number;
  decode(exchange: Exchange): Promise<Facts>;
}

export interface DecodeOptions {
  projectId: string;
  /** null: facts only. */
  contentKey: Buffer | null;
  /** Hashes of instructions whose words are stored, as far as this process knows. */
  knownInstructions: Set<string>;
  /** What telemetry gets: nothing unless told. */
  observes?: "facts" | "content" | undefined;
  /** Test seam: another version of the decoder. */
  decoder?: Decoder | undefined;
}

const PRESENT: Decoder = { version: DECODER_VERSION, decode };

/** A reader stumbled: what it would have said can be had once it is put right, from the exchange that is kept. */
class ReaderFailed extends Error {
  readonly code = "reader_failed";
}

const WORDS_CHARACTERS = 120;
const KNOWN_MAX = 10_000;

/**
 * Exchange → call, with its price, and sealed content. Content that cannot be redacted is dropped and the facts are kept.
 * @throws ReaderFailed where content may be kept, else that call is stored with the mark: its bodies are nowhere to be read again.
 */
export async function decodeExchange(exchange: Exchange, options: DecodeOptions): Promise<DecodedExchange> {
  const { version, decode: read } = options.decoder ?? PRESENT;
  const facts = await read(exchange);
  if (options.contentKey && facts.problems.includes("reader_failed")) throw new ReaderFailed("its reader failed");
  const call = { ...toCall(exchange, facts, options.projectId), decoderVersion: version };
  const observation = options.observes && observe(call, facts.content, options.observes);
  const decoded = { call, payload: null, words: null, ...(observation && { observation }) };
  if (!options.contentKey) return decoded;
  try {
    const payload = isEmpty(facts.content) ? null : toStorable(facts.content, options.contentKey);
    return { ...decoded, payload, words: firstWords(call, facts.unit, options) };
  } catch {
    call.problems.push("content_dropped:redaction_failed");
    return decoded;
  }
}

/** Redacted a second time, which only those pay for who ask for content. */
function observe(call: Call, content: Content, observes: "facts" | "content"): Observation {
  const settings = readSettings(content.parameters);
  settings.stopSequences = settings.stopSequences?.map(redactText) ?? null;
  return { call, settings, content: observes === "content" && !isEmpty(content) ? redactedOrNone(content) : null };
}

function redactedOrNone(content: Content): Content | null {
  try {
    return redactContent(content).content;
  } catch {
    return null;
  }
}

/** What names a call without a template on the pages. Stored once for each hash, so that it costs nothing afterwards. */
function firstWords(call: Call, unit: string | null, { contentKey, knownInstructions }: DecodeOptions): Buffer | null {
  if (!unit || !call.unitHash || call.template || !contentKey || knownInstructions.has(call.unitHash)) return null;
  if (knownInstructions.size >= KNOWN_MAX) knownInstructions.clear();
  knownInstructions.add(call.unitHash);
  // Redacted whole, then cut: a secret that is cut in two would not be known as one.
  const text = redactText(unit).trimStart().slice(0, WORDS_CHARACTERS).replace(/\s+/g, " ");
  const content = {
    parameters: {},
    tools: [],
    input: [{ role: "system", parts: [{ type: "text" as const, text }] }],
    output: [],
  };
  return toStorable(content, contentKey).sealed;
}

const isEmpty = (content: { input: unknown[]; output: unknown[]; tools: unknown[] }): boolean =>
  content.input.length === 0 && content.output.length === 0 && content.tools.length === 0;
