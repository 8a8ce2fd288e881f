import { derivedId } from "#lib/derived-id.ts";
import type { ExchangeEnd } from "#lib/exchange.ts";
import { DECODER_VERSION } from "#lib/openai/decode.ts";
import { endReason } from "#lib/openai/sessions/session-end.ts";
import type { SessionFacts, TurnFacts } from "#lib/openai/sessions/session-reader.ts";
import type { PriceBook } from "#lib/pricing/create-price-book.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { type Session, type Turn, wastedLine } from "#lib/session.ts";
import { uuid7Ms } from "#lib/uuid7.ts";
import { readAttribution } from "./attribution.ts";
import type { CallSource } from "./to-call.ts";

/** What the recorder knows of a session beside its reader. */
export interface SessionSoFar {
  /** Of its turns; null: one of them has no price. */
  wastedUsd: string | null;
  problems: readonly string[];
  /** null: still open. `end` null: Omnimeter died; `atMs` is the last that was heard. */
  over: { end: ExchangeEnd | null; atMs: number } | null;
}

type Heard = Pick<SessionFacts, "clientMessages" | "serverMessages">;

/** The row of a session as it stands. Whom it was for is what its upgrade says, or else the first of its messages. */
export function toSession(
  { id, start }: CallSource,
  facts: SessionFacts,
  soFar: SessionSoFar,
  projectId: string,
): Session {
  const { hints, problems, ...read } = facts;
  const attribution = readAttribution(start, hints);
  const startedAt = uuid7Ms(id);
  const { over } = soFar;
  return {
    ...read,
    id,
    projectId,
    environment: attribution.environment,
    upstream: start.upstream,
    decoderVersion: DECODER_VERSION,
    feature: attribution.feature,
    customer: attribution.customer,
    endUser: attribution.endUser,
    session: attribution.session,
    release: attribution.release,
    tags: attribution.tags,
    startedAt,
    endedAt: over && startedAt + Math.round(over.atMs),
    endReason: over && (read.endReason ?? endReason(over.end)),
    closeCode: over?.end?.socket?.closeCode ?? null,
    wastedUsd: soFar.wastedUsd,
    problems: [
      ...new Set([
        ...problems,
        ...soFar.problems,
        ...attribution.problems,
        ...(hasHoles(read, over?.end) ? ["messages_missing"] : []),
        ...(start.headersCut ? ["request_headers_cut"] : []),
      ]),
    ],
  };
}

/** A turn with its call's id, and what was generated in it and never heard at the price of the model that spoke. */
export function toTurn(
  { id, start }: CallSource,
  { callKey, callStartedAtMs, model, ...turn }: TurnFacts,
  projectId: string,
  book?: PriceBook,
): Turn {
  const atMs = callStartedAtMs ?? start.startedAtMs + (turn.doneMs ?? 0);
  const call = { projectId, upstream: start.upstream, model, serviceTier: null, region: null, startedAt: atMs };
  const lines = turn.wastedMs ? [wastedLine(turn.wastedMs)] : [];
  const [wasted] = priceLines(lines, { ...call, inputTokens: null }, book);
  return {
    ...turn,
    sessionId: id,
    callId: callKey && callStartedAtMs !== null ? derivedId(callStartedAtMs, ...callKey) : null,
    wastedUsd: wasted?.costUsd ?? null,
  };
}

/** The spool could not take all that was relayed. */
const hasHoles = ({ clientMessages, serverMessages }: Heard, end: ExchangeEnd | null | undefined): boolean =>
  (end?.socket?.clientMessages ?? 0) > clientMessages || (end?.socket?.serverMessages ?? 0) > serverMessages;
