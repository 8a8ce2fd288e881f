import type { Call } from "#lib/call.ts";
import type { Exchange, RecordedBody } from "#lib/exchange.ts";
import { openWithSpoolKey, sealWithSpoolKey } from "#lib/spool/carry.ts";

/** More is kept without its bodies: one text holds all of it on its way to the database. */
const BODIES_BYTES_MAX = 64 << 20;

/** An exchange as it was recorded, so that a later version reads it anew. `bodies` false: without what was said. */
export function sealExchange(key: Buffer, exchange: Exchange, bodies: boolean): Buffer {
  const fits = keptBytes(exchange.request) + keptBytes(exchange.response) <= BODIES_BYTES_MAX;
  const pack = bodies && fits ? asText : withoutBytes;
  const { request, response } = exchange;
  return sealWithSpoolKey(key, {
    exchange: { ...exchange, request: pack(request), response: response && pack(response) },
  });
}

/** The facts of a call alone: nothing of what was said. */
export const sealCall = (key: Buffer, call: Call): Buffer => sealWithSpoolKey(key, call);

/** What sealExchange or sealCall had sealed. @throws when another key sealed it or it is damaged. */
export function openKept(key: Buffer, sealed: Buffer): { exchange: Exchange } | { call: Call } {
  const value = openWithSpoolKey(key, sealed) as { exchange: TextExchange } | Call;
  if (!("exchange" in value)) return { call: { ...SINCE, ...value } };
  const { request, response, ...rest } = value.exchange;
  return { exchange: { ...rest, request: asBytes(request), response: response && asBytes(response) } };
}

/** What calls have that were not sealed with it by an earlier version. */
const SINCE = {
  parentId: null,
  region: null,
  objectIds: [],
  inherits: null,
  countsFor: null,
  reread: false,
  inputAudioMs: null,
  outputAudioMs: null,
} satisfies Partial<Call>;

type TextBody<T extends RecordedBody> = Omit<T, "chunks"> & {
  chunks: { atMs: number; offset: number; bytes: string }[];
};
type TextExchange = Omit<Exchange, "request" | "response"> & {
  request: TextBody<Exchange["request"]>;
  response: TextBody<NonNullable<Exchange["response"]>> | null;
};

const asText = <T extends RecordedBody>(body: T): TextBody<T> => ({
  ...body,
  chunks: body.chunks.map((chunk) => ({ ...chunk, bytes: chunk.bytes.toString("base64") })),
});

const withoutBytes = <T extends RecordedBody>(body: T): TextBody<T> => ({ ...body, chunks: [], cut: body.bytes > 0 });

const asBytes = <T extends RecordedBody>(body: TextBody<T>) => ({
  ...body,
  chunks: body.chunks.map((chunk) => ({ ...chunk, bytes: Buffer.from(chunk.bytes, "base64") })),
});

const keptBytes = (body: RecordedBody | null): number =>
  body?.chunks.reduce((sum, { bytes }) => sum + bytes.length, 0) ?? 0;
