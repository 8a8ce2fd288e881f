import type { Exchange } from "#lib/exchange.ts";
import type { Answer, Asked } from "./answer.ts";

/** Whom a call is for. */
export interface OtherWhose {
  readonly feature: string;
  /** null: the company itself. */
  readonly customer: string | null;
  readonly template: string | null;
  readonly session: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

interface OtherCall {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly asked: Asked;
  readonly answer: Answer;
  readonly whose: OtherWhose;
  /** How much slower than usual this one was answered. */
  readonly slowness: number;
  readonly origin: Exchange["origin"];
}

export function otherHeaders({ feature, customer, template, session, tags }: OtherWhose): string[] {
  const given = { feature, customer, template, session };
  return [
    ...Object.entries(given).flatMap(([name, value]) =>
      value === null ? [] : [`x-omnimeter-${name}`, encodeURIComponent(value)],
    ),
    "x-omnimeter-tags",
    Object.entries(tags)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join(","),
  ];
}

/** Uploads come in at so many bytes a millisecond. */
const UPLOAD_BYTES_PER_MS = 6000;
const TAIL_MS = 1.5;

/** The exchange that the proxy would have recorded. */
export function otherExchange({ id, startedAt, asked, answer, whose, slowness, origin }: OtherCall): Exchange {
  const target = `/v1/${asked.path}`;
  const requestEndMs = 0.5 + asked.body.length / UPLOAD_BYTES_PER_MS;
  const at = (ms: number) => requestEndMs + 0.25 + ms * slowness;
  let offset = 0;
  const chunks = answer.pieces.map(({ atMs, bytes }) => {
    const chunk = { atMs: at(atMs), offset, bytes };
    offset += bytes.length;
    return chunk;
  });
  const responseEndAtMs = (chunks.at(-1)?.atMs ?? at(answer.headAtMs)) + TAIL_MS;
  const { body } = asked;
  return {
    id,
    origin,
    start: {
      kind: "http",
      method: asked.method,
      target,
      upstreamTarget: target,
      upstream: "default",
      upstreamOrigin: "https://api.openai.com",
      headers: ["content-type", asked.contentType, ...otherHeaders(whose)],
      startedAtMs: startedAt,
    },
    request: {
      chunks: body.length ? [{ atMs: requestEndMs, offset: 0, bytes: body }] : [],
      bytes: body.length,
      cut: false,
    },
    response: {
      status: answer.status,
      headers: answer.headers,
      headAtMs: at(answer.headAtMs),
      chunks,
      bytes: offset,
      cut: false,
    },
    end: {
      ending: "completed",
      requestEndAtMs: requestEndMs,
      sentAtMs: requestEndMs + 0.25,
      connectMs: null,
      responseEndAtMs,
      endAtMs: responseEndAtMs + 0.25,
      requestBytes: body.length,
      responseBytes: offset,
    },
  };
}
