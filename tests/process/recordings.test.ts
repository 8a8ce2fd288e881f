import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask } from "#tests/support/http-client.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import {
  haveRecordings,
  type Recording,
  type Replay,
  readRecordings,
  requestBody,
  startReplay,
} from "#tests/support/replay.ts";
import type { Split } from "#tests/support/split.ts";
import { type System, startSystem } from "#tests/support/system.ts";

if (!haveRecordings) console.log("Skipped: the recordings of OpenAI traffic are not on this machine.");
const recordings = haveRecordings ? readRecordings() : [];
const decoded = recordings.filter(({ endpoint }) => endpoint === "chat_completions" || endpoint === "responses");

describe.skipIf(!haveRecordings)("recorded OpenAI traffic, stored", () => {
  let replay: Replay;
  let database: TestDatabase;
  let system: System;
  beforeAll(async () => {
    replay = await startReplay(recordings);
    database = await testDatabase();
    system = await startSystem({ database, upstreamUrl: replay.url });
  });
  afterAll(async () => {
    await system?.stop();
    await database?.drop();
    await replay?.stop();
  });

  for (const [name, split] of [
    ["whole", (): Split => "whole"],
    ["at odd places", (i: number): Split => ({ seed: i })],
  ] as const)
    test(`every exchange, sent ${name}, is stored as what the recording states`, async () => {
      const sent = new Map<string, Recording>();
      for (const [i, recording] of recordings.entries()) sent.set(await send(recording, split(i)), recording);
      await system.drained();
      const stored = new Map((await system.sql<Stored[]>`${FACTS(system)}`).map((row) => [row.id, row]));
      const wrong: string[] = [];
      for (const [id, recording] of sent) {
        const row = stored.get(id);
        if (!row) wrong.push(`${recording.id}: not stored`);
        else if (decoded.includes(recording)) wrong.push(...differences(row, recording));
      }
      expect(wrong).toEqual([]);
    });

  async function send(recording: Recording, split: Split): Promise<string> {
    const { method, path, headers } = recording.request;
    const body = requestBody(recording);
    const own = Object.entries(headers).filter(
      ([name]) =>
        !/^(host|content-length|connection|transfer-encoding|content-encoding|accept-encoding|expect)$/.test(name),
    );
    const lines = [...own.flat(), "x-recording", recording.id, "x-split", JSON.stringify(split)];
    const answer = await ask(system.proxyUrl + path, { method, headers: lines, ...(body && { body }) });
    return String(answer.headers["x-omnimeter-call-id"]);
  }
});

interface Stored {
  id: string;
  status: number | null;
  model: string | null;
  requestModel: string | null;
  responseId: string | null;
  finishReasons: string[];
  serviceTier: string | null;
  errorType: string | null;
  errorCode: string | null;
  usageSource: string;
  inputTokens: number | null;
  outputTokens: number | null;
  totalTokens: number | null;
  cachedTokens: number | null;
  reasoningTokens: number | null;
  acceptedPredictionTokens: number | null;
  rejectedPredictionTokens: number | null;
  inputAudioTokens: number | null;
  outputAudioTokens: number | null;
  tools: string[] | null;
}

const FACTS = ({ sql }: System) => sql`
  select
    id, status::int, model, request_model as "requestModel", response_id as "responseId", finish_reasons as "finishReasons",
    service_tier as "serviceTier", error_type as "errorType", error_code as "errorCode", usage_source as "usageSource",
    input_tokens::int as "inputTokens", output_tokens::int as "outputTokens", total_tokens::int as "totalTokens",
    cached_tokens::int as "cachedTokens", reasoning_tokens::int as "reasoningTokens",
    accepted_prediction_tokens::int as "acceptedPredictionTokens", rejected_prediction_tokens::int as "rejectedPredictionTokens",
    input_audio_tokens::int as "inputAudioTokens", output_audio_tokens::int as "outputAudioTokens",
    (
      select array_agg(name order by index) from tool_calls
      -- The recordings list what the model asks the client to do, not what ran at the provider.
      where call_id = calls.id and type in ('function', 'custom')
    ) as tools
  from calls`;

/** The recording's name of each number → ours. */
const USAGE = {
  input_tokens: "inputTokens",
  output_tokens: "outputTokens",
  total_tokens: "totalTokens",
  input_cached_tokens: "cachedTokens",
  output_reasoning_tokens: "reasoningTokens",
  accepted_prediction_tokens: "acceptedPredictionTokens",
  rejected_prediction_tokens: "rejectedPredictionTokens",
  input_audio_tokens: "inputAudioTokens",
  output_audio_tokens: "outputAudioTokens",
} as const satisfies Record<string, keyof Stored>;

function differences(row: Stored, { id, request, expected }: Recording): string[] {
  const wrong: string[] = [];
  const same = (what: string, stored: unknown, stated: unknown) => {
    if (stated !== undefined && JSON.stringify(stored ?? null) !== JSON.stringify(stated ?? null))
      wrong.push(`${id}: ${what} is ${JSON.stringify(stored)}, the recording states ${JSON.stringify(stated)}`);
  };
  // Reading a stored answer again, listing and the like generate nothing.
  if (request.method !== "POST") return wrong;
  same("status", row.status, expected.http_status);
  same("model", row.model, expected.model);
  // Azure's requests may name their model in the path only.
  same("request model", row.requestModel, expected.request_model ?? /\/deployments\/([^/]+)/.exec(request.path)?.[1]);
  same("response id", row.responseId, expected.response_id);
  if (expected.service_tier) same("service tier", row.serviceTier, expected.service_tier);
  if (expected.finish_reasons)
    same("finish reasons", row.finishReasons, Object.values(expected.finish_reasons).filter(Boolean));
  if (expected.tool_calls) same("tool calls", row.tools ?? [], expected.tool_calls);
  if (expected.error?.type) same("error type", row.errorType, expected.error.type);
  if (expected.error?.code) same("error code", row.errorCode, String(expected.error.code));
  if (!expected.usage) return wrong;
  // Nothing but zeros beside a real answer is no statement: it is estimated, and marked.
  if (Object.values(expected.usage.normalized).every((n) => n === 0)) {
    same("usage source", row.usageSource, "estimated");
    return wrong;
  }
  same("usage source", row.usageSource, "reported");
  for (const [theirs, ours] of Object.entries(USAGE)) same(ours, row[ours], expected.usage.normalized[theirs]);
  return wrong;
}
