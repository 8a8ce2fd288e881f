import { setImmediate as turn } from "node:timers/promises";
import type { Call } from "#lib/call.ts";
import type { Exchange, ExchangeStart } from "#lib/exchange.ts";
import type { Observation } from "#lib/observation.ts";
import { DECODER_VERSION, decode } from "#lib/openai/decode.ts";
import type { ChildFacts, Facts } from "#lib/openai/facts.ts";
import { noUsage } from "#lib/openai/no-facts.ts";
import type { PriceBook } from "#lib/pricing/create-price-book.ts";
import { type Deployments, deployedModel } from "./deployed-model.ts";
import { type CallSource, toCall, toChildCall } from "./to-call.ts";
import { withContent } from "./with-content.ts";

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
  facts: Pick<Call, "model" | "serviceTier" | "usage" | "lines" | "finishReasons" | "problems">;
}

/** What reads the bodies of an exchange, and how much it knows. */
export interface Decoder {
  version: number;
  decode(exchange: Exchange, options?: { keepAudio?: boolean | undefined }): Promise<Facts>;
}

export interface DecodeOptions {
  projectId: string;
  /** null: facts only. */
  contentKey: Buffer | null;
  /** Hashes of instructions whose words are stored, as far as this process knows. */
  knownInstructions: Set<string>;
  /** Audio that the spool holds is kept, with what was said (OMNIMETER_KEEP_AUDIO). */
  keepAudio?: boolean | undefined;
  deployments?: Deployments | undefined;
  /** What telemetry gets: nothing unless told. */
  observes?: "facts" | "content" | undefined;
  /** The price book of this moment; without one, that which comes with Omnimeter. */
  book?: (() => PriceBook) | undefined;
  /** Test seam: another version of the decoder. */
  decoder?: Decoder | undefined;
}

const PRESENT: Decoder = { version: DECODER_VERSION, decode };

/** A reader stumbled: what it would have said can be had once it is put right, from the exchange that is kept. */
class ReaderFailed extends Error {
  readonly code = "reader_failed";
}

/** After so many calls of one exchange the loop turns once: a batch's answers are thousands. */
const TURN_CALLS = 50;

/**
 * Exchange → its own call, then those that it tells of (lines of a batch), each with its price and sealed content. Content that
 * cannot be redacted is dropped and the facts are kept.
 * @throws ReaderFailed where content may be kept, else that call is stored with the mark: its bodies are nowhere to be read again.
 */
export async function decodeCalls(exchange: Exchange, options: DecodeOptions): Promise<DecodedExchange[]> {
  const { version, decode: read } = options.decoder ?? PRESENT;
  const facts = await read(exchange, { keepAudio: options.keepAudio });
  if (options.contentKey && facts.problems.includes("reader_failed")) throw new ReaderFailed("its reader failed");
  const named = withModel(exchange.start, facts, options);
  const own = { ...toCall(exchange, named, options.projectId, options.book?.()), decoderVersion: version };
  const calls = [withContent(own, named, options)];
  for (const [i, child] of facts.children.entries()) {
    if (i > 0 && i % TURN_CALLS === 0) await turn();
    calls.push(decodeChild(exchange, child, options));
  }
  return calls;
}

/** The exchange's own call alone. */
export async function decodeExchange(exchange: Exchange, options: DecodeOptions): Promise<DecodedExchange> {
  const [own] = await decodeCalls(exchange, options);
  return own as DecodedExchange;
}

/** A call that came out of an exchange. One that cannot be priced is stored without usage, and says so: the others go on. */
export function decodeChild(parent: CallSource, child: ChildFacts, options: DecodeOptions): DecodedExchange {
  const version = (options.decoder ?? PRESENT).version;
  const toDecoded = (facts: Facts) => {
    const call = {
      ...toChildCall(parent, { ...child, facts }, options.projectId, options.book?.()),
      decoderVersion: version,
    };
    return withContent(call, facts, options);
  };
  const facts = withModel(parent.start, child.facts, options);
  try {
    return toDecoded(facts);
  } catch {
    const problems = [...facts.problems, "usage_inconsistent"];
    return toDecoded({ ...facts, usage: noUsage(), lines: [], problems });
  }
}

function withModel(start: ExchangeStart, facts: Facts, { deployments }: DecodeOptions): Facts {
  const model = deployedModel(start, facts, deployments);
  return model === facts.model ? facts : { ...facts, model };
}
