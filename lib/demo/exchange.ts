import type { Exchange, RecordedChunk } from "#lib/exchange.ts";
import { attributionHeaders } from "./attribution-headers.ts";
import { chunkAtMs, endsAtMs, type Turn } from "./turn.ts";
import { answerOf, CHAT_PATH, contentDeltas, type Piece, requestBody } from "./wire.ts";

/** The exchange that the proxy would have recorded of this call. `origin` says which of the made calls it is. */
export function exchangeOf(turn: Turn, origin: Exchange["origin"]): Exchange {
  const request = Buffer.from(requestBody(turn));
  const { status, headers, headAtMs, pieces } = answerOf(turn);
  const chunks = chunksOf(pieces);
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  const { pace } = turn;
  return {
    id: turn.id,
    origin,
    start: {
      kind: "http",
      method: "POST",
      target: CHAT_PATH,
      upstreamTarget: CHAT_PATH,
      upstream: "default",
      upstreamOrigin: "https://api.openai.com",
      headers: ["content-type", "application/json", ...attributionHeaders(turn)],
      startedAtMs: turn.startedAt,
    },
    request: { chunks: [{ atMs: pace.requestEndMs, offset: 0, bytes: request }], bytes: request.length, cut: false },
    response: { status, headers, headAtMs, chunks, bytes, cut: false },
    end: endOf(turn, request.length, bytes),
  };
}

export const ABORT_CAUSE = "the client closed the connection";

function endOf(turn: Turn, requestBytes: number, responseBytes: number): Exchange["end"] {
  const { ending, pace } = turn;
  if (ending.kind === "interrupted") return null;
  const isAborted = ending.kind === "client_aborted";
  const chunks = turn.streamed && ending.kind === "completed" ? contentDeltas(turn).length : 0;
  const { responseEndMs, endMs } = endsAtMs(turn, chunks);
  return {
    ending: isAborted ? "client_aborted" : "completed",
    ...(isAborted && { cause: ABORT_CAUSE }),
    requestEndAtMs: pace.requestEndMs,
    sentAtMs: pace.sentMs,
    connectMs: pace.connectMs,
    responseEndAtMs: isAborted ? null : responseEndMs,
    endAtMs: isAborted ? chunkAtMs(pace, ending.seen - 1) + pace.tailMs : endMs,
    requestBytes,
    responseBytes,
  };
}

function chunksOf(pieces: readonly Piece[]): RecordedChunk[] {
  let offset = 0;
  return pieces.map(({ atMs, text }) => {
    const chunk = { atMs, offset, bytes: Buffer.from(text) };
    offset += chunk.bytes.length;
    return chunk;
  });
}
