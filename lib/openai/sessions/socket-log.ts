import type { RecordedMessage } from "#lib/exchange.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, parseJson } from "../bodies/json.ts";
import { salvage, salvageMember } from "../bodies/salvage.ts";

/** What every reader of a socket counts, whatever is said on it. */
export interface SocketLog {
  clientBytes: number;
  serverBytes: number;
  clientMessages: number;
  serverMessages: number;
  problems: string[];
}

export const newSocketLog = (): SocketLog => ({
  clientBytes: 0,
  serverBytes: 0,
  clientMessages: 0,
  serverMessages: 0,
  problems: [],
});

export function countMessage(log: SocketLog, { from, bytes }: RecordedMessage): void {
  if (from === "client") {
    log.clientBytes += bytes;
    log.clientMessages++;
  } else {
    log.serverBytes += bytes;
    log.serverMessages++;
  }
}

/** The event a message holds; null: it is binary, or cannot be read. Of one that was cut what stands whole before the cut. */
export function readEvent(log: SocketLog, { text, bytes }: RecordedMessage): JsonObject | null {
  if (text === null) return null;
  const event = asObject(parseJson(text));
  if (event !== null) return event;
  const isCut = Buffer.byteLength(text) < bytes;
  note(log.problems, isCut ? "event_cut" : "event_unreadable");
  return isCut ? readCut(text) : null;
}

/** Its beginning, and behind a NUL its end, where that was kept. What is too long is so for the response that it repeats. */
function readCut(text: string): JsonObject {
  const [head = "", tail = null] = text.split("\0", 2);
  const response = salvageMember(head, tail, "response");
  return { ...salvage(head, tail), ...(response && { response }) };
}

/** Once each; a session that goes wrong in ever new ways is not told in full. */
export function note(problems: string[], problem: string): void {
  if (problems.length < PROBLEMS_MAX && !problems.includes(problem)) problems.push(problem);
}

const PROBLEMS_MAX = 50;
