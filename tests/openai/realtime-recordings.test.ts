import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Usage } from "#lib/call.ts";
import { decodeSession } from "#lib/openai/sessions/sessions.ts";
import { decodeInPieces, messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

interface Recording {
  id: string;
  connection: { path: string };
  events: { from: "client" | "server"; event: object }[];
  expected: {
    models: string[];
    responses: {
      id: string;
      status: string;
      reason: string | null;
      usage: { normalized: Record<string, number> } | null;
      tool_calls: string[];
    }[];
    transcriptions: { item_id: string; usage: { type: string; seconds?: number } | null }[];
    errors: { code: string | null }[];
    cancelled_responses: number;
  };
}

const FOLDER = join(import.meta.dirname, "../../../shared/recordings/realtime");
const all = recordings();

describe.skipIf(all.length === 0)("recorded sessions", () => {
  test.each(all.map((recording) => [recording.id, recording] as const))(
    "%s decodes to what it states",
    (_, recording) => {
      const { expected } = recording;
      const { calls, session } = decode(recording);
      const responses = calls.filter(({ endpoint }) => endpoint === "realtime");
      expect(responses.map(({ key }) => key)).toEqual(expected.responses.map(({ id }) => [SESSION_ID, id]));
      for (const [index, { usage, status, reason, tool_calls }] of expected.responses.entries()) {
        const { facts, outcome } = responses[index] as (typeof responses)[number];
        expect(facts.toolCalls.map(({ name }) => name)).toEqual(tool_calls);
        expect(facts.finishReasons).toEqual(status === "completed" ? [] : [reason ?? status]);
        expect(outcome).toBe(status === "cancelled" ? "client_aborted" : "completed");
        expect(expected.models).toContain(facts.model);
        expect(facts.problems).toEqual([]);
        const stated = Object.entries(usage?.normalized ?? {}).map(([name, tokens]) => [NAMES[name] ?? name, tokens]);
        expect(facts.usage).toMatchObject({ source: "reported", ...Object.fromEntries(stated) });
        const sum = (direction: string) =>
          facts.lines.filter((line) => line.direction === direction).reduce((total, line) => total + line.quantity, 0);
        expect(sum("input")).toBe(usage?.normalized.input_tokens);
        expect(sum("output")).toBe(usage?.normalized.output_tokens);
      }
      const written = calls.filter(({ endpoint }) => endpoint === "realtime_transcription");
      const completed = written.filter(({ outcome }) => outcome === "completed");
      expect(
        completed.map(({ key, facts }) => ({
          item_id: key[2],
          usage: { type: "duration", seconds: facts.usage.durationSeconds },
        })),
      ).toEqual(expected.transcriptions);
      expect(written.filter(({ outcome }) => outcome === "failed").map(({ facts }) => facts.error?.code)).toEqual(
        expected.errors.map(({ code }) => code),
      );
      expect(session).toMatchObject({ kind: "realtime", errors: expected.errors.length, problems: [] });
    },
  );

  test.each(all.map((recording) => [recording.id, recording] as const))(
    "%s decodes to the same when its state is put down after every message",
    (_, recording) => {
      expect(decode(recording, decodeInPieces)).toEqual(decode(recording));
    },
  );

  const named = (name: string) => all.find(({ id }) => id.includes(name)) as Recording;

  test("what was cut off before anything was heard was all wasted", () => {
    const { turns, session } = decode(named("barge-in-truncate"));
    expect(turns).toMatchObject([
      { kind: "server_vad", bargeIn: "confirmed", heardMs: 0, status: "cancelled", reason: "turn_detected" },
      { kind: "server_vad", bargeIn: null, status: "completed" },
    ]);
    expect(turns[0]?.wastedMs).toBe(turns[0]?.audioMs);
    expect(session).toMatchObject({ turns: 2, bargeIns: 1, falseBargeIns: 0 });
  });

  test("a response that was cancelled before it said anything costs the zero that is stated", () => {
    const { calls, turns } = decode(named("webrtc-barge-in"));
    expect(calls[2]?.facts.usage).toMatchObject({ source: "reported", inputTokens: 0, outputTokens: 0 });
    expect(turns.map(({ bargeIn }) => bargeIn)).toEqual([null, null, "confirmed", null]);
  });

  test("a tool's answer belongs to the turn that called the tool", () => {
    const { turns } = decode(named("tool-round-preamble"));
    expect(turns).toMatchObject([{ kind: "tool", toolCalls: 1 }]);
  });

  test("a session that listens to another connection knows no length of what it did not hear", () => {
    const { session } = decode(named("webrtc-sideband"));
    expect(session).toMatchObject({ transport: "side_channel", providerCallId: "CALL_ID", audioInMs: null });
    expect(session.audioOutMs).toBeNull();
  });
});

function recordings(): Recording[] {
  if (!existsSync(FOLDER)) {
    console.log("skipped: ../shared is not here");
    return [];
  }
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Recording);
}

/** No recording has times: ten milliseconds lie between two events. */
function decode({ connection, events }: Recording, read: typeof decodeInPieces = decodeSession) {
  const messages = messagesOf(events.map(({ from, event }, index) => [from, index * 10, event]));
  return read(socketStart(connection.path), messages, socketEnd(), SESSION_ID);
}

const NAMES: Record<string, keyof Usage> = {
  input_tokens: "inputTokens",
  output_tokens: "outputTokens",
  total_tokens: "totalTokens",
  input_text_tokens: "inputTextTokens",
  input_audio_tokens: "inputAudioTokens",
  input_image_tokens: "inputImageTokens",
  input_cached_tokens: "cachedTokens",
  input_cached_text_tokens: "cachedTextTokens",
  input_cached_audio_tokens: "cachedAudioTokens",
  output_text_tokens: "outputTextTokens",
  output_audio_tokens: "outputAudioTokens",
};
