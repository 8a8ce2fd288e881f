import type { ExchangeEnd, ExchangeStart, RecordedMessage } from "#lib/exchange.ts";
import type { SessionEnd } from "#lib/session.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText } from "../bodies/json.ts";
import type { ChildFacts } from "../facts.ts";
import { createStreamClock, noMarks } from "../marks.ts";
import { createDrafts } from "../response-drafts.ts";
import { isTerminal } from "../responses.ts";
import { socketFacts } from "./other-socket.ts";
import { cutOutcome, endReason } from "./session-end.ts";
import type { SessionFacts, SessionOutput, SessionReader } from "./session-reader.ts";
import { NOTHING, WORDS_LET_GO } from "./session-reader.ts";
import { readAsStream, type SocketAnswer } from "./socket-answer.ts";
import type { SocketLog } from "./socket-log.ts";
import { countMessage, newSocketLog, note, readEvent } from "./socket-log.ts";

/**
 * Responses over a WebSocket: the body of each request comes as an event, and its answer as the events that a stream would have. Several
 * can be on their way, each in a lane of its own (`stream_id`); within a lane they come one after another.
 */
export const responsesSocketReader: SessionReader<ResponsesState> = { open, take, letGo, close, facts };

interface ResponsesState {
  id: string;
  start: ExchangeStart;
  log: SocketLog;
  open: OpenCall[];
  over: string[];
  calls: number;
  toolCalls: number;
  errors: number;
  model: string | null;
  endReason: SessionEnd | null;
  idleMs: number;
  lastAtMs: number;
}

/** A request, and of its answer what its reader will need. Milliseconds since the session's start; `marks` since its own. */
interface OpenCall extends SocketAnswer {
  number: number;
  lane: string;
  /** null: asked for, and not begun. */
  responseId: string | null;
  /** An error came that may have been its end: it is, unless more comes of it. */
  failedMs: number | null;
  characters: number;
}

function open(id: string, start: ExchangeStart): ResponsesState {
  return {
    id,
    // The attribution in its headers is the recorder's to read.
    start: { ...start, headers: [] },
    log: newSocketLog(),
    open: [],
    over: [],
    calls: 0,
    toolCalls: 0,
    errors: 0,
    model: null,
    endReason: null,
    idleMs: 0,
    lastAtMs: 0,
  };
}

function take(state: ResponsesState, message: RecordedMessage): SessionOutput {
  const { log } = state;
  countMessage(log, message);
  countIdle(state, message.atMs);
  state.lastAtMs = Math.max(state.lastAtMs, message.atMs);
  const event = readEvent(log, message);
  if (event === null) return NOTHING;
  try {
    if (message.from === "client") return ask(state, event, message);
    return answer(state, event, message);
  } catch {
    note(log.problems, "event_failed");
    return NOTHING;
  }
}

/** Nothing was asked for, or what was has failed. */
function countIdle(state: ResponsesState, atMs: number): void {
  if (state.open.every(({ failedMs }) => failedMs !== null)) state.idleMs += Math.max(0, atMs - state.lastAtMs);
}

function ask(state: ResponsesState, event: JsonObject, { atMs, bytes }: RecordedMessage): SessionOutput {
  if (event.type !== "response.create") return NOTHING;
  const { type: _, stream_id, ...request } = event;
  const lane = asText(stream_id) ?? "";
  const failed = state.open.filter((one) => one.lane === lane && one.failedMs !== null);
  const calls = failed.flatMap((one) => finish(state, one, null, atMs));
  const call = begin(state, lane, atMs);
  call.requestBytes = bytes;
  const size = JSON.stringify(request).length;
  if (size <= REQUEST_CHARACTERS_MAX) call.request = request;
  else {
    call.request = withoutWords(request);
    note(call.problems, "request_cut");
  }
  if (state.open.length > OPEN_MAX) {
    note(state.log.problems, "too_many_open_responses");
    calls.push(...finish(state, state.open[0] as OpenCall, null, atMs));
  }
  return calls.length === 0 ? NOTHING : { calls, turns: [] };
}

const OPEN_MAX = 32;
const OVER_KEPT = 64;
const REQUEST_CHARACTERS_MAX = 256 * 1024;
const ANSWER_CHARACTERS_MAX = 512 * 1024;

/** What stays of an answer ends it, or names what is in it. */
function letGo({ log, open: calls }: ResponsesState): void {
  note(log.problems, WORDS_LET_GO);
  for (const call of calls) {
    note(call.problems, WORDS_LET_GO);
    if (call.request !== null) call.request = withoutWords(call.request);
    call.events = call.events.filter(({ type }) => KEPT.has(type));
    call.characters = ANSWER_CHARACTERS_MAX;
  }
}

function withoutWords({ input: _input, tools: _tools, instructions: _instructions, ...rest }: JsonObject): JsonObject {
  return rest;
}

function begin(state: ResponsesState, lane: string, atMs: number): OpenCall {
  const call: OpenCall = {
    number: state.calls++,
    lane,
    responseId: null,
    startedMs: atMs,
    failedMs: null,
    request: null,
    requestBytes: 0,
    responseBytes: 0,
    marks: noMarks(),
    events: [],
    characters: 0,
    problems: [],
  };
  state.open.push(call);
  return call;
}

function answer(state: ResponsesState, event: JsonObject, { atMs, bytes, text }: RecordedMessage): SessionOutput {
  const type = asText(event.type) ?? "";
  const isError = type === "error";
  if (isError) state.errors++;
  const call = callOf(state, event, type, atMs);
  if (call === null) return NOTHING;
  call.responseBytes += bytes;
  const saw = createDrafts().add(type, event);
  if (saw !== null) createStreamClock(call.marks).saw(saw, atMs - call.startedMs);
  const isLast = isTerminal(type) || isError;
  const isCut = text !== null && Buffer.byteLength(text) < bytes;
  if (isTerminal(type) && isCut && asObject(event.response)?.usage === undefined) note(call.problems, "response_cut");
  if (!isError && call.failedMs !== null) outlive(call);
  if (saw !== null || isLast || KEPT.has(type)) keep(call, type, event, saw !== null, isLast);
  if (isError && call.responseId !== null) {
    call.failedMs ??= atMs;
    return NOTHING;
  }
  return isLast ? { calls: finish(state, call, null, atMs, true), turns: [] } : NOTHING;
}

/** The error was about something else: a request that came in between, a steering that was refused. */
function outlive(call: OpenCall): void {
  call.failedMs = null;
  call.events = call.events.filter(({ type }) => type !== "error");
}

const KEPT = new Set(["response.created", "response.output_item.added", "response.output_item.done"]);

/** By the response it names, else by its lane. null: it is of no call (an error of the connection), or of one that is over. */
function callOf(state: ResponsesState, event: JsonObject, type: string, atMs: number): OpenCall | null {
  const id = asText(event.response_id) ?? asText(asObject(event.response)?.id);
  const lane = asText(event.stream_id) ?? "";
  if (id !== null && state.over.includes(id)) {
    if (isTerminal(type)) note(state.log.problems, "response_repeated");
    return null;
  }
  const named = id === null ? undefined : state.open.find((call) => call.responseId === id);
  if (named) return named;
  const inLane = state.open.filter((call) => call.lane === lane);
  const waiting = inLane.find((call) => call.responseId === null);
  const begun = inLane.find((call) => call.responseId !== null) ?? null;
  // What is refused was asked for while another answer is on its way.
  if (id === null) return type === "error" ? (waiting ?? begun) : begun;
  // A steered response is followed by one that nobody asked for.
  const next = waiting ?? begin(state, lane, atMs);
  next.responseId = id;
  return next;
}

function keep(call: OpenCall, type: string, event: JsonObject, isDelta: boolean, isLast: boolean): void {
  const same = isDelta ? call.events.find((one) => one.type === type && isSame(one.event, event)) : undefined;
  const size = isDelta ? String(event.delta).length : JSON.stringify(event).length;
  if (!isLast && call.characters + size > ANSWER_CHARACTERS_MAX) {
    note(call.problems, "response_cut");
    return;
  }
  call.characters += size;
  if (same) same.event.delta = String(same.event.delta) + String(event.delta);
  else call.events.push({ type, event: { ...event } });
}

const isSame = (a: JsonObject, b: JsonObject): boolean =>
  a.output_index === b.output_index && a.item_id === b.item_id && a.content_index === b.content_index;

/** The call, and what it tells of beside itself: the sessions of its containers. */
function finish(
  state: ResponsesState,
  call: OpenCall,
  end: ExchangeEnd | null,
  nowMs: number,
  isTold = false,
): ChildFacts[] {
  const isOver = isTold || call.failedMs !== null;
  const atMs = call.failedMs ?? nowMs;
  state.open = state.open.filter((one) => one !== call);
  if (call.responseId !== null) state.over = [...state.over, call.responseId].slice(-OVER_KEPT);
  const { children, ...facts } = readAsStream(state, call, isOver);
  state.toolCalls += facts.toolCalls.length;
  state.model = facts.model ?? state.model;
  const durationMs = atMs - call.startedMs;
  const own: ChildFacts = {
    key: call.responseId === null ? [state.id, "request", String(call.number)] : [state.id, call.responseId],
    endpoint: "responses",
    startedAtMs: state.start.startedAtMs + call.startedMs,
    timings: { responseEndMs: durationMs, durationMs: isOver ? durationMs : null },
    outcome: facts.outcome ?? (isOver ? "completed" : cutOutcome(end)),
    status: null,
    requestBytes: call.requestBytes,
    responseBytes: call.responseBytes,
    facts: { ...facts, children: [] },
  };
  return [own, ...children];
}

function close(state: ResponsesState, end: ExchangeEnd | null, atMs: number): SessionOutput {
  countIdle(state, atMs);
  state.endReason = endReason(end);
  return { calls: [...state.open].flatMap((call) => finish(state, call, end, atMs)), turns: [] };
}

function facts(state: ResponsesState): SessionFacts {
  const { log, model, idleMs, toolCalls, errors } = state;
  return { ...socketFacts(log), kind: "responses", model, endReason: state.endReason, idleMs, toolCalls, errors };
}
