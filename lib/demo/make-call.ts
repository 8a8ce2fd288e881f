import type { Call, PricedLine, Timings, Usage } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import { decode } from "#lib/openai/decode.ts";
import { readUsage } from "#lib/openai/usage/usage.ts";
import { priceLines } from "#lib/pricing/price-lines.ts";
import { toCall } from "#lib/recorder/to-call.ts";
import { exchangeOf } from "./exchange.ts";
import { chunkAtMs, endsAtMs, longestGapMs, type Turn, type Used } from "./turn.ts";
import { usageBody, usageDigits } from "./wire.ts";

/**
 * What all calls of one shape (script, version, models, ending) have in common: a call that went through the real
 * readers, so that what the wire says is said in one place. The rest of a call is laid over it.
 */
interface Shape {
  readonly call: Call;
  /** Length of the answer without the figures of its usage. */
  readonly responseBytesBare: number;
  readonly isSpoken: boolean;
}

export interface CallMaker {
  /** `seq` numbers the calls from 1. A promise when a call of this shape is made for the first time. */
  make(turn: Turn, seq: number): Call | Promise<Call>;
}

/** Turns → calls as the recorder would make them of the exchanges (lib/demo/exchange.ts), thousands per millisecond faster. */
export function createCallMaker(origin: { spool: string; run: string }): CallMaker {
  const shapes = new Map<string, Shape>();

  function make(turn: Turn, seq: number): Call | Promise<Call> {
    const key = keyOf(turn);
    const shape = shapes.get(key);
    if (shape) return lay(turn, seq, shape);
    return learn(turn, { ...origin, seq }).then((learned) => {
      shapes.set(key, learned);
      return lay(turn, seq, learned);
    });
  }

  function lay(turn: Turn, seq: number, { call, responseBytesBare, isSpoken }: Shape): Call {
    const { whose, used, script, version, startedAt } = turn;
    const money = used ? usageOf(turn, used, call) : { lines: priced(turn, call.usage, call.lines) };
    return {
      ...call,
      ...money,
      id: turn.id,
      operationId: turn.operationId ?? turn.id,
      attempt: turn.attempt,
      startedAt,
      origin: { ...origin, seq },
      environment: whose.environment,
      feature: whose.feature,
      customer: whose.customer,
      endUser: whose.user,
      session: whose.session,
      template: script.template.name,
      templateVersion: version.version,
      release: whose.release,
      tags: whose.tags,
      responseId: call.responseId && turn.responseId,
      upstreamRequestId: call.upstreamRequestId && turn.requestId,
      timings: timingsOf(turn, call.timings, isSpoken),
      responseBytes: responseBytesBare + (used ? usageDigits(used) : 0),
      toolCalls: call.toolCalls.length
        ? call.toolCalls.map((tool) => ({ ...tool, id: turn.toolCallId }))
        : call.toolCalls,
    };
  }

  return { make };
}

async function learn(turn: Turn, origin: Exchange["origin"]): Promise<Shape> {
  const exchange = exchangeOf(turn, origin);
  const facts = await decode(exchange);
  const call = toCall(exchange, facts, "default");
  return {
    call,
    responseBytesBare: call.responseBytes - (turn.used ? usageDigits(turn.used) : 0),
    isSpoken: turn.script.template.kind === "audio",
  };
}

function keyOf({ script, version, asked, served, streamed, ending }: Turn): string {
  const seen = "seen" in ending ? ending.seen : "";
  return `${script.key} ${version.version} ${asked} ${served} ${streamed ? "s" : ""} ${ending.kind}${seen}`;
}

function usageOf(turn: Turn, used: Used, call: Call): Pick<Call, "usage" | "lines" | "problems"> {
  const mixedInput = used.inputAudio > 0 || used.inputImage > 0;
  const { usage, lines, problems } = readUsage(usageBody(used), { produced: true, mixedInput });
  // Nothing but its usage can be odd in a call of ours that completed.
  return { usage, lines: priced(turn, usage, lines), problems: problems.length ? problems : call.problems };
}

const priced = (turn: Turn, usage: Usage, lines: Parameters<typeof priceLines>[0]): PricedLine[] =>
  priceLines(lines, {
    projectId: "default",
    upstream: "default",
    model: turn.served,
    serviceTier: "default",
    region: null,
    startedAt: turn.startedAt,
    inputTokens: usage.inputTokens,
  });

/** The shape knows which of the moments there are; the turn knows when. */
function timingsOf(turn: Turn, of: Timings, isSpoken: boolean): Timings {
  const { pace, ending, streamed } = turn;
  const { contentChunks } = of;
  const hasEnd = ending.kind !== "interrupted";
  const isAborted = ending.kind === "client_aborted";
  const { responseEndMs, endMs } = endsAtMs(turn, contentChunks);
  const isStream = streamed && contentChunks > 0;
  return {
    requestEndMs: hasEnd ? pace.requestEndMs : null,
    sentMs: hasEnd ? pace.sentMs : null,
    connectMs: hasEnd ? pace.connectMs : null,
    firstByteMs: pace.firstByteMs,
    firstTokenMs: isStream ? pace.firstTokenMs : null,
    firstTextMs: of.firstTextMs === null ? null : pace.firstTokenMs,
    firstAudioMs: of.firstAudioMs === null || !isSpoken ? null : chunkAtMs(pace, 1),
    lastTokenMs: isStream ? chunkAtMs(pace, contentChunks - 1) : null,
    responseEndMs: hasEnd && !isAborted ? responseEndMs : null,
    durationMs: !hasEnd ? null : isAborted ? responseEndMs : endMs,
    longestGapMs: isStream ? longestGapMs(pace, contentChunks) : null,
    stalls: of.stalls,
    contentChunks,
  };
}
