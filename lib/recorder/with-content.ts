import type { Call, Content, Media } from "#lib/call.ts";
import type { Observation } from "#lib/observation.ts";
import type { Facts } from "#lib/openai/facts.ts";
import { readSettings } from "#lib/openai/settings.ts";
import type { PriceBook } from "#lib/pricing/create-price-book.ts";
import { redactContent, redactText } from "#lib/privacy/redact.ts";
import { sealBytes, toStorable } from "#lib/privacy/seal.ts";
import type { DecodedExchange, DecodeOptions, Restated, SealedMedia } from "./decode-exchange.ts";
import { priceFacts } from "./to-call.ts";

const WORDS_CHARACTERS = 120;
const KNOWN_MAX = 10_000;
/** Of one call; what is beyond is not kept. */
const MEDIA_BYTES_MAX = 64 << 20;

/** A call with what goes beside it: what was said, redacted and sealed, and what it says of another call. Never throws; adds problems. */
export function withContent(call: Call, facts: Facts, options: DecodeOptions): DecodedExchange {
  const observation = options.observes && observe(call, facts.content, options.observes);
  const restates = restatedBy(call, facts, options.book?.());
  const decoded = {
    ...{ call, payload: null, words: null },
    ...(observation && { observation }),
    ...(restates && { restates }),
  };
  const { contentKey } = options;
  if (!contentKey) return decoded;
  const media = options.keepAudio ? sealMedia(call, facts.media, contentKey) : [];
  const kept = { ...decoded, ...(media.length > 0 && { media }) };
  try {
    const payload = isEmpty(facts.content) ? null : toStorable(facts.content, contentKey);
    return { ...kept, payload, words: firstWords(call, facts.unit, options) };
  } catch {
    call.problems.push("content_dropped:redaction_failed");
    return kept;
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

/** null: it is no re-read, or one that states nothing. What is only estimated is nobody's word. */
function restatedBy(call: Call, facts: Facts, book?: PriceBook): Restated | null {
  const { projectId, upstream, startedAt, responseId: objectId } = call;
  const states = facts.usage.source === "reported" || facts.usage.source === "measured";
  if (!facts.reread || !states || objectId === null) return null;
  const { model, serviceTier, usage, finishReasons } = facts;
  const lines = priceFacts(facts, facts.generatedAtMs ?? startedAt, call, book);
  const problems = facts.problems.filter((problem) => ABOUT_USAGE.test(problem));
  return { projectId, upstream, objectId, facts: { model, serviceTier, usage, lines, finishReasons, problems } };
}

/** What is odd about what was used goes with it; what befell the re-read itself stays there. */
const ABOUT_USAGE = /^(usage|cached|image|search|tool|service_tier)_/;

function sealMedia(call: Call, media: readonly Media[], key: Buffer): SealedMedia[] {
  const kept: SealedMedia[] = [];
  let bytes = 0;
  for (const { bytes: audio, ...one } of media) {
    if (bytes + audio.length > MEDIA_BYTES_MAX) {
      call.problems.push("media_too_large");
      break;
    }
    bytes += audio.length;
    kept.push({ ...one, bytes: audio.length, sealed: sealBytes(audio, key) });
  }
  return kept;
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
