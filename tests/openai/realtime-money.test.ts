import { expect, test } from "vitest";
import { decodeSession } from "#lib/openai/sessions/sessions.ts";
import { OUTPUT_AUDIO_MS_PER_TOKEN } from "#lib/session.ts";
import { seeded } from "#tests/support/split.ts";
import type { Said } from "./session-messages.ts";
import { messagesOf, SESSION_ID, socketEnd, socketStart } from "./session-messages.ts";

test("several answers at once, told twice, out of order or without a beginning: each counts once, as stated", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const { said, billed } = talk(seeded(seed));
    const path = seed % 3 ? undefined : "/v1/realtime?call_id=rtc_1";
    const { calls } = decodeSession(socketStart(path), messagesOf(said), socketEnd(), SESSION_ID);
    const stated = calls.filter(({ facts }) => billed.has(facts.responseId ?? ""));
    expect(stated.map(({ facts }) => [facts.responseId, facts.usage.totalTokens]).sort()).toEqual([...billed].sort());
    for (const { facts } of stated)
      expect(facts.lines.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(facts.usage.totalTokens);
    expect(new Set(calls.map(({ key }) => key.join("/"))).size).toBe(calls.length);
  }
});

test("whatever is cut, truncated or spoken into: heard and wasted are what was generated, and no turn waits for less than nothing", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const { said } = talk(seeded(seed));
    const { calls, turns, session } = decodeSession(socketStart(), messagesOf(said), socketEnd(), SESSION_ID);
    for (const { audioMs, heardMs, wastedMs, latencyMs, reactionMs, generationMs } of turns) {
      if (wastedMs !== null) expect(wastedMs + (heardMs ?? 0)).toBeCloseTo(audioMs ?? 0, 6);
      for (const ms of [heardMs, wastedMs, latencyMs, reactionMs, generationMs])
        expect(ms ?? 0).toBeGreaterThanOrEqual(0);
    }
    const generatedMs = calls.reduce(
      (sum, { facts: { outputAudioMs, usage } }) =>
        sum + Math.max(outputAudioMs ?? 0, (usage.outputAudioTokens ?? 0) * OUTPUT_AUDIO_MS_PER_TOKEN),
      0,
    );
    expect(session.wastedMs).toBeLessThanOrEqual(generatedMs + 1e-6);
    expect(session.idleMs).toBeLessThanOrEqual(socketEnd().endAtMs);
  }
});

/** A session in which everything happens at any time; what its answers are stated to have used. */
function talk(random: () => number): { said: Said[]; billed: Map<string, number> } {
  const upTo = (most: number) => Math.floor(random() * most);
  const said: Said[] = [];
  const billed = new Map<string, number>();
  const open: string[] = [];
  let begun = 0;
  let atMs = 0;
  const someone = () => `r${upTo(begun + 1)}`;
  const client = (event: object) => say("client", event);
  const server = (event: object) => say("server", event);
  const say = (from: "client" | "server", event: object) => {
    atMs += upTo(200);
    said.push([from, atMs, event]);
    if (random() < 0.05) said.push([from, atMs, event]);
  };
  const begin = () => {
    const id = `r${begun++}`;
    open.push(id);
    if (random() < 0.9)
      server({ type: "response.created", response: { id, conversation_id: upTo(2) ? "conv_1" : null } });
  };
  const speak = (id = open[upTo(open.length)]) => {
    const audio = { type: "response.output_audio.delta", response_id: id, item_id: `${id}_${upTo(2)}` };
    if (id) server({ ...audio, delta: `elided:${64 * upTo(500)}` });
  };
  const finish = () => {
    const [id] = open.splice(upTo(open.length), 1);
    if (id === undefined) return;
    const [input, output] = [upTo(1000), 1 + upTo(100)];
    const [cached, audio] = [upTo(input + 1), upTo(output + 1)];
    billed.set(id, input + output);
    const usage = {
      input_tokens: input,
      output_tokens: output,
      total_tokens: input + output,
      input_token_details: { cached_tokens: cached },
      output_token_details: { audio_tokens: audio, text_tokens: output - audio },
    };
    const reason = [null, "turn_detected", "client_cancelled"][upTo(3)];
    server({
      type: "response.done",
      response: { id, status: "completed", status_details: reason && { reason }, usage },
    });
  };
  const deeds = [
    begin,
    speak,
    speak,
    speak,
    finish,
    finish,
    () => client({ type: "input_audio_buffer.append", audio: `elided:${64 * upTo(400)}` }),
    () => client({ type: "response.create", ...(upTo(3) === 0 && { response: { conversation: "none" } }) }),
    () =>
      client({
        type: "conversation.item.truncate",
        item_id: `${someone()}_${upTo(2)}`,
        audio_end_ms: upTo(30_000) - 1000,
      }),
    () => client({ type: ["response.cancel", "input_audio_buffer.commit", "input_audio_buffer.clear"][upTo(3)] }),
    () => server({ type: "input_audio_buffer.speech_started", audio_start_ms: upTo(atMs + 1000), item_id: someone() }),
    () => server({ type: "input_audio_buffer.speech_stopped", audio_end_ms: upTo(atMs + 1000), item_id: someone() }),
    () => server({ type: `output_audio_buffer.${["started", "stopped", "cleared"][upTo(3)]}`, response_id: someone() }),
  ];
  for (let i = 0; i < 120; i++) deeds[upTo(deeds.length)]?.();
  return { said, billed };
}
