import type { Exchange, ExchangeStart } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import type { JsonObject } from "../bodies/json.ts";
import type { Facts, Marks } from "../facts.ts";
import { readResponse } from "../responses.ts";
import { estimateOutput } from "./realtime-usage.ts";

/** A request that came over a socket, and what its reader needs of the answer. Milliseconds since the session's start; `marks` since its own. */
export interface SocketAnswer {
  startedMs: number;
  request: JsonObject | null;
  requestBytes: number;
  responseBytes: number;
  marks: Marks;
  /** Deltas of one kind and item as one. */
  events: { type: string; event: Record<string, unknown> }[];
  problems: string[];
}

interface Socket {
  id: string;
  start: ExchangeStart;
}

/** Read as the stream that it would have been by HTTP. */
export function readAsStream(socket: Socket, answer: SocketAnswer, isOver: boolean): Facts {
  const events = answer.events.map(({ type, event }) => ({ event: type, data: JSON.stringify(event), atMs: 0 }));
  const bodies: Bodies = {
    request: answer.request,
    form: null,
    response: { kind: "stream", events, reachesEnd: false },
    problems: [],
  };
  const facts = readResponse(asHttp(socket, answer, isOver), bodies);
  facts.marks = answer.marks;
  facts.problems.push(...answer.problems);
  const produced = facts.content.output.some(({ parts }) => parts.length > 0);
  if (facts.usage.source === "none" && produced) estimateOutput(facts, 0, facts.problems.includes("usage_all_zero"));
  return facts;
}

function asHttp({ id, start }: Socket, answer: SocketAnswer, isOver: boolean): Exchange {
  const { requestBytes, responseBytes, startedMs } = answer;
  const body = { chunks: [], cut: false };
  return {
    id,
    origin: { spool: "", run: "", seq: 0 },
    start: { ...start, startedAtMs: start.startedAtMs + startedMs },
    request: { ...body, bytes: requestBytes },
    response: { ...body, bytes: responseBytes, status: 200, headers: [], headAtMs: 0 },
    end: isOver
      ? {
          ending: "completed",
          requestEndAtMs: 0,
          sentAtMs: 0,
          connectMs: null,
          responseEndAtMs: 0,
          endAtMs: 0,
          requestBytes,
          responseBytes,
        }
      : null,
  };
}
