import { hash } from "node:crypto";
import type { Call, Outcome, PricedLine } from "#lib/call.ts";
import { derivedId } from "#lib/derived-id.ts";
import type { Exchange } from "#lib/exchange.ts";
import { header } from "#lib/openai/bodies/body.ts";
import { DECODER_VERSION } from "#lib/openai/decode.ts";
import { findEndpoint } from "#lib/openai/endpoints.ts";
import type { ChildFacts, Facts } from "#lib/openai/facts.ts";
import { noUsage } from "#lib/openai/no-facts.ts";
import type { PriceBook } from "#lib/pricing/create-price-book.ts";
import { BUILT_IN } from "#lib/pricing/price-book.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { redactText } from "#lib/privacy/redact.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import { type Attribution, readAttribution } from "./attribution.ts";

const TEXT_CHARACTERS_MAX = 2000;
const KEY_CHARACTERS_MAX = 128;
/** Servers between put names and keys into ids, which then begin alike for the first two hundred. As long as feedback may name one. */
const ID_CHARACTERS_MAX = 512;
const HEADER_CHARACTERS_MAX = 512;

/** Where a call comes from, as far as all that come out of one exchange share it. */
export type CallSource = Pick<Exchange, "id" | "origin" | "start">;

/** The row of one HTTP exchange, or of a socket that was refused: what the proxy saw, what the readers saw, and whom it was for. */
export function toCall(exchange: Exchange, facts: Facts, projectId: string, book: PriceBook = BUILT_IN): Call {
  const { start, end, request, response } = exchange;
  const outcome = outcomeOf(exchange, facts);
  const unreachable = end?.ending === "unreachable" || (end?.ending === "upstream_reset" && !response);
  const endpoint = findEndpoint(start.method, pathOf(start.upstreamTarget)).name;
  const attribution = readAttribution(start, facts.hints);
  const call = rowOf(exchange, facts, { id: exchange.id, projectId, endpoint, outcome, attribution }, book);
  const { timings } = call;
  // Filled in place: nobody else has seen it, and every call would pay for a copy of so wide a row.
  call.status = response?.status ?? null;
  if (unreachable) {
    call.errorType ??= "omnimeter_error";
    call.errorCode ??= "omnimeter_upstream_unreachable";
  }
  if (outcome !== "completed") call.errorMessage ??= redacted(end?.cause ?? null);
  call.upstreamRequestId =
    response && (findHeader(response.headers, "x-request-id") ?? findHeader(response.headers, "apim-request-id"));
  timings.requestEndMs = end?.requestEndAtMs ?? null;
  timings.sentMs = end?.sentAtMs ?? null;
  timings.connectMs = end?.connectMs ?? null;
  timings.firstByteMs = response?.headAtMs ?? null;
  timings.responseEndMs = end?.responseEndAtMs ?? null;
  timings.durationMs = end?.endAtMs ?? null;
  call.requestBytes = request.bytes;
  call.responseBytes = response?.bytes ?? 0;
  call.cut = request.cut || (response?.cut ?? false);
  if (start.headersCut) call.problems.push("request_headers_cut");
  if (response?.headersCut) call.problems.push("response_headers_cut");
  return call;
}

/** The row of a call that is no exchange of its own. */
export function toChildCall(
  parent: CallSource,
  child: ChildFacts,
  projectId: string,
  book: PriceBook = BUILT_IN,
): Call {
  const { facts, timings, outcome } = child;
  const id = derivedId(child.startedAtMs, ...child.key);
  const attribution = childAttribution(parent.start, facts);
  const call = rowOf(parent, facts, { id, projectId, endpoint: child.endpoint, outcome, attribution }, book);
  return {
    ...call,
    parentId: parent.id,
    // One try each: what is tried again is another exchange.
    operationId: id,
    attempt: 0,
    status: child.status,
    timings: { ...call.timings, ...timings },
    requestBytes: child.requestBytes,
    responseBytes: child.responseBytes,
  };
}

/**
 * Whom it was for is what its exchange says, unless it says so itself. What somebody had submitted is theirs: it is not for whoever asks for it
 * later, whatever that one's headers say (db/inherit.ts). Who listens to a call says so for its sake.
 */
function childAttribution(start: CallSource["start"], { inherits, hints }: Facts): Attribution {
  const ofExchange = readAttribution(start, hints);
  if (inherits === null || start.kind === "websocket") return ofExchange;
  const own = readAttribution({ ...start, headers: [], target: start.upstreamTarget }, hints);
  return { ...own, traceId: ofExchange.traceId, parentSpanId: ofExchange.parentSpanId };
}

/** What an exchange's own call and those that came out of it do not have alike. */
interface Own extends Pick<Call, "id" | "projectId" | "endpoint" | "outcome"> {
  attribution: Attribution;
}

function rowOf(
  { id: parentId, origin, start }: CallSource,
  facts: Facts,
  { id, projectId, endpoint, outcome, attribution }: Own,
  book: PriceBook,
): Call {
  const { marks } = facts;
  // What a re-read states was used by the call that generated it, and is counted there.
  const usage = facts.reread ? noUsage() : facts.usage;
  const startedAt = uuid7Ms(id);
  return {
    id,
    parentId: null,
    projectId,
    environment: attribution.environment,
    operationId: attribution.operationId ?? parentId,
    attempt: attribution.attempt,
    upstream: start.upstream,
    region: key(facts.region),
    startedAt,
    decoderVersion: DECODER_VERSION,
    origin,
    endpoint,
    method: start.method,
    path: start.target.slice(0, TEXT_CHARACTERS_MAX),
    streamed: facts.streamed,
    requestModel: key(facts.requestModel),
    model: key(facts.model),
    requestServiceTier: key(facts.requestServiceTier),
    serviceTier: key(facts.serviceTier),
    systemFingerprint: key(facts.systemFingerprint),
    feature: attribution.feature,
    customer: attribution.customer,
    endUser: attribution.endUser,
    session: attribution.session,
    template: attribution.template,
    // A version of nothing cannot be told apart from another one's.
    templateVersion: attribution.template === null ? null : attribution.templateVersion,
    release: attribution.release,
    tags: attribution.tags,
    unitHash: facts.unit === null ? null : hash("sha256", facts.unit).slice(0, 16),
    outcome,
    status: null,
    errorType: facts.error?.type ?? null,
    errorCode: facts.error?.code ?? null,
    errorMessage: redacted(facts.error?.message ?? null),
    finishReasons: facts.finishReasons,
    responseId: objectName(facts.responseId),
    objectIds: facts.objectIds.flatMap((one) => objectName(one) ?? []),
    inherits: objectName(facts.inherits),
    countsFor: objectName(facts.countsFor),
    reread: facts.reread,
    previousResponseId: objectName(facts.previousResponseId),
    conversationId: objectName(facts.conversationId),
    promptCacheKey: key(facts.promptCacheKey),
    upstreamRequestId: null,
    clientRequestId: findHeader(start.headers, "x-client-request-id"),
    traceId: attribution.traceId,
    parentSpanId: attribution.parentSpanId,
    inputModalities: facts.inputModalities,
    outputModalities: facts.outputModalities,
    inputAudioMs: facts.inputAudioMs,
    outputAudioMs: facts.outputAudioMs,
    timings: {
      requestEndMs: null,
      sentMs: null,
      connectMs: null,
      firstByteMs: null,
      firstTokenMs: marks.firstTokenMs,
      firstTextMs: marks.firstTextMs,
      firstAudioMs: marks.firstAudioMs,
      lastTokenMs: marks.lastTokenMs,
      responseEndMs: null,
      durationMs: null,
      longestGapMs: marks.longestGapMs,
      stalls: marks.stalls,
      contentChunks: marks.contentChunks,
    },
    requestBytes: 0,
    responseBytes: 0,
    cut: false,
    usage,
    lines: facts.reread
      ? []
      : priceFacts(facts, facts.generatedAtMs ?? startedAt, { projectId, upstream: start.upstream, endpoint }, book),
    toolCalls: facts.toolCalls.map((tool) => ({
      ...tool,
      id: key(tool.id),
      name: tool.name.slice(0, KEY_CHARACTERS_MAX),
    })),
    problems: [
      ...facts.problems,
      ...(facts.reread && facts.usage.source !== "none" ? ["usage_of_another_call"] : []),
      ...attribution.problems,
      ...(attribution.template === null && attribution.templateVersion !== null
        ? ["template_version_without_template"]
        : []),
    ],
  };
}

/** What the usage of some facts costs at a moment (milliseconds since the epoch), by a project's terms. */
export function priceFacts(
  facts: Facts,
  atMs: number,
  { projectId, upstream, endpoint }: Pick<Call, "projectId" | "upstream" | "endpoint">,
  book: PriceBook = BUILT_IN,
): PricedLine[] {
  const lines = priceLines(
    facts.lines,
    {
      projectId,
      upstream,
      // What only the request names can be an alias: good enough for an estimate, which is all that is known then.
      model: key(facts.model ?? (facts.usage.source === "estimated" ? facts.requestModel : null)),
      serviceTier: facts.serviceTier,
      region: facts.region,
      startedAt: atMs,
      inputTokens: facts.usage.inputTokens,
      isSum: endpoint === "batch",
    },
    book,
  );
  // As a whole it is unpriced by that mark, and counted as such: once.
  return facts.problems.includes("usage_inconsistent") ? lines.filter(({ price }) => price !== null) : lines;
}

/** What is looked up, grouped or indexed has a length that an index takes; real names are far shorter. */
const key = (text: string | null): string | null => text?.slice(0, KEY_CHARACTERS_MAX) ?? null;

/** The same of what the provider calls its objects. */
const objectName = (text: string | null): string | null => text?.slice(0, ID_CHARACTERS_MAX) ?? null;

/** What the proxy saw of the ending, refined by what the body says. */
function outcomeOf({ end, response }: Exchange, facts: Facts): Outcome {
  if (!end) return "interrupted";
  if (end.ending === "client_aborted") return facts.outcome ?? "client_aborted";
  if (end.ending === "unreachable") return "unreachable";
  if (end.ending === "interrupted") return "interrupted";
  if (end.ending === "upstream_reset") return response ? "truncated" : "unreachable";
  return facts.outcome ?? ((response?.status ?? 0) >= 400 ? "failed" : "completed");
}

const redacted = (text: string | null): string | null => text && redactText(text).slice(0, TEXT_CHARACTERS_MAX);

const pathOf = (target: string): string => target.split("?", 1)[0] as string;

function findHeader(headers: readonly string[], name: string): string | null {
  return header(headers, name)?.slice(0, HEADER_CHARACTERS_MAX) ?? null;
}
