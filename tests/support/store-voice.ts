import type { Sql } from "postgres";
import type { Call, Media, Timings, Usage } from "#lib/call.ts";
import { derivedId } from "#lib/derived-id.ts";
import { noUsage } from "#lib/openai/no-facts.ts";
import { sealBytes } from "#lib/privacy/seal.ts";
import type { Session, Turn } from "#lib/session.ts";
import { createUuid7, uuid7Ms } from "#lib/uuid7.ts";
import { callAt, line, storedSpool, usageOf } from "./store-calls.ts";

const MODEL = "gpt-4o-realtime-preview-2024-12-17";

/** 0.000275 + 0.00016 + 0.00052 + 0.0006 + 0.00728 = 0.008835 USD. */
const FIRST = [
  line({ quantity: 55 }),
  line({ cache: "read", quantity: 64 }),
  line({ modality: "audio", quantity: 13 }),
  line({ direction: "output", quantity: 30 }),
  line({ direction: "output", modality: "audio", quantity: 91 }),
];
/** 0.000285 + 0.00064 + 0.00368 + 0.00096 + 0.00018 + 0.00184 = 0.007585 USD. */
const SECOND = [
  line({ quantity: 57 }),
  line({ cache: "read", quantity: 256 }),
  line({ modality: "audio", quantity: 92 }),
  line({ modality: "audio", cache: "read", quantity: 384 }),
  line({ direction: "output", quantity: 9 }),
  line({ direction: "output", modality: "audio", quantity: 23 }),
];
/** 4.2 s at 0.006 USD a minute = 0.00042 USD. */
const TRANSCRIBED = [line({ modality: "audio", unit: "second", quantity: 4.2 })];

/** A part of a session has the times that are its own. */
const TIMINGS: Timings = {
  ...{ requestEndMs: null, sentMs: null, connectMs: null, firstByteMs: null, longestGapMs: 80, stalls: 0 },
  ...{
    firstTokenMs: 210,
    firstTextMs: 210,
    firstAudioMs: 220,
    lastTokenMs: 1200,
    responseEndMs: 1220,
    durationMs: 1220,
  },
  contentChunks: 12,
};

/** As the provider states it: each modality's tokens with their cached part. */
function stating(lines: typeof FIRST): Usage {
  const sum = (direction: string, modality: string, cache?: string) =>
    lines
      .filter((one) => one.direction === direction && one.modality === modality && (!cache || one.cache === cache))
      .reduce((all, { quantity }) => all + quantity, 0);
  const [cachedTextTokens, cachedAudioTokens] = [sum("input", "text", "read"), sum("input", "audio", "read")];
  return {
    ...usageOf({ ...noUsage(), source: "reported" }, lines),
    ...{ inputTextTokens: sum("input", "text"), inputAudioTokens: sum("input", "audio") },
    ...{ cachedTokens: cachedTextTokens + cachedAudioTokens, cachedTextTokens, cachedAudioTokens },
    ...{ outputTextTokens: sum("output", "text"), outputAudioTokens: sum("output", "audio") },
  };
}

/** A voice session as the recorder leaves it: five turns, two of them interrupted, one with a tool; in all 0.01684 USD. */
export async function storeVoice(sql: Sql, startedAt: number, over: Partial<Session> = {}) {
  const session = { ...(await sessionAt(startedAt)), ...over };
  const child = (atMs: number, key: string, more: Partial<Call>, lines: typeof FIRST) =>
    callAt(
      0,
      {
        ...{ id: derivedId(session.startedAt + atMs, session.id, key), parentId: session.id, responseId: key },
        ...{ endpoint: "realtime", method: "GET", path: "/v1/realtime", model: MODEL, requestModel: MODEL },
        ...{ feature: session.feature, customer: session.customer, session: session.session, outcome: "completed" },
        ...{ inputModalities: ["text", "audio"], outputModalities: ["text", "audio"], inputAudioMs: 2000 },
        ...{ status: null, streamed: true, timings: TIMINGS, requestBytes: 0, responseBytes: 0 },
        ...more,
      },
      lines,
    );
  const calls = await Promise.all([
    child(3100, "resp_1", { outputAudioMs: 4550, finishReasons: [], usage: stating(FIRST) }, FIRST),
    child(
      9050,
      "resp_2",
      { outputAudioMs: 4000, outcome: "client_aborted", finishReasons: ["turn_detected"], usage: stating(SECOND) },
      SECOND,
    ),
    child(
      9060,
      "item_2",
      {
        endpoint: "realtime_transcription",
        model: "whisper-1",
        requestModel: "whisper-1",
        outputModalities: ["text"],
        usage: { ...noUsage(), source: "reported", durationSeconds: 4.2 },
      },
      TRANSCRIBED,
    ),
  ]);
  const turns = turnsOf(
    session.id,
    calls.map(({ id }) => id),
  );
  const store = await storedSpool(sql, `voice-${session.id}`);
  await store(calls, {
    sessions: [
      { origin: { spool: `voice-${session.id}`, run: "run", seq: 1 }, session, turns, ended: session.endedAt !== null },
    ],
  });
  return { session, turns, calls };
}

/** Audio of a call that somebody asked to keep. */
export async function storeMedia(sql: Sql, callId: string, { bytes, mediaType, direction, index }: Media, key: Buffer) {
  await sql`
    insert into media (call_id, index, direction, media_type, bytes, sealed)
    values (${callId}::uuid, ${index}, ${direction}, ${mediaType}, ${bytes.length}, ${sealBytes(bytes, key)})`;
}

async function sessionAt(startedAt: number): Promise<Session> {
  const id = createUuid7(() => startedAt)();
  return {
    ...{ id, projectId: "default", environment: "production", upstream: "default", decoderVersion: 1 },
    ...{ kind: "realtime", transport: "websocket", providerId: "sess_1", providerCallId: null, model: MODEL },
    ...{ feature: "concierge", customer: "Acme", endUser: null, session: "booth-7", release: null, tags: {} },
    ...{
      startedAt: uuid7Ms(id),
      expiresAt: null,
      endedAt: uuid7Ms(id) + 40_000,
      endReason: "client_closed",
      closeCode: 1000,
    },
    ...{ audioInMs: 12_000, audioOutMs: 8550, turns: 5, idleMs: 9000, toolCalls: 1, bargeIns: 1, falseBargeIns: 1 },
    ...{ wastedMs: 2200, wastedUsd: "0.00352", errors: 0, rateLimitEvents: 2 },
    rateLimits: { tokens: { limit: 40_000, remaining: 2000, resetSeconds: 57.1 } },
    ...{ clientBytes: 900_000, serverBytes: 1_200_000, clientMessages: 420, serverMessages: 610, problems: [] },
  };
}

function turnsOf(sessionId: string, callIds: readonly string[]): Turn[] {
  const nothing: Turn = {
    ...{ sessionId, index: 0, callId: null, kind: "server_vad", toolCalls: 0, problems: [] },
    ...{ inputStartMs: null, inputEndMs: null, createdMs: null, firstTextMs: null, firstAudioMs: null, doneMs: null },
    ...{ latencyMs: null, modelMs: null, toolMs: null, audioMs: null, generationMs: null, bargeIn: null },
    ...{
      bargeInMs: null,
      heardMs: null,
      wastedMs: null,
      wastedUsd: null,
      reactionMs: null,
      status: null,
      reason: null,
    },
  };
  return [
    {
      ...nothing,
      ...{ callId: callIds[0] ?? null, inputStartMs: 1000, inputEndMs: 3000, createdMs: 3100, firstTextMs: 3310 },
      ...{ firstAudioMs: 3320, doneMs: 4320, latencyMs: 320, audioMs: 4550, generationMs: 1000, heardMs: 4550 },
      ...{ wastedMs: 0, wastedUsd: "0", status: "completed" },
    },
    {
      ...nothing,
      ...{ index: 1, callId: callIds[1] ?? null, inputStartMs: 7900, inputEndMs: 9000, createdMs: 9050 },
      ...{ firstTextMs: 9290, firstAudioMs: 9300, doneMs: 11_250, latencyMs: 300, audioMs: 4000, generationMs: 1900 },
      ...{ bargeIn: "confirmed", bargeInMs: 11_000, heardMs: 1800, wastedMs: 2200, wastedUsd: "0.00352" },
      ...{ reactionMs: 100, status: "cancelled", reason: "turn_detected" },
    },
    {
      ...nothing,
      ...{ index: 2, kind: "tool", inputStartMs: 11_000, inputEndMs: 13_000, createdMs: 13_100, toolCalls: 1 },
      ...{ modelMs: 400, toolMs: 900, firstAudioMs: 15_100, doneMs: 15_900, latencyMs: 2100, audioMs: 2000 },
      ...{ generationMs: 800, heardMs: 2000, wastedMs: 0, wastedUsd: "0", status: "completed" },
    },
    {
      ...nothing,
      ...{
        index: 3,
        inputStartMs: 20_000,
        inputEndMs: 22_000,
        createdMs: 22_050,
        firstAudioMs: 22_410,
        doneMs: 23_000,
      },
      ...{ latencyMs: 410, audioMs: 3000, generationMs: 600, bargeIn: "false", bargeInMs: 23_500, heardMs: 3000 },
      ...{ wastedMs: 0, wastedUsd: "0", status: "completed" },
    },
    {
      ...nothing,
      ...{ index: 4, kind: "text", inputStartMs: 30_000, inputEndMs: 30_000, createdMs: 30_060, firstTextMs: 30_500 },
      ...{ doneMs: 31_000, latencyMs: 500, status: "completed" },
    },
  ];
}
