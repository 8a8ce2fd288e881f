import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * The dashboard's requests that are being answered. Pages are made where only the headers of their request are known: the
 * server puts the request's name there, and a page gets the signal of its visitor's leaving by that name. On the global object,
 * because the server and the built pages do not share modules.
 */
const shared = globalThis as { omnimeterRequests?: Map<string, AbortController> };
const requests = (): Map<string, AbortController> => {
  shared.omnimeterRequests ??= new Map();
  return shared.omnimeterRequests;
};

export const REQUEST_HEADER = "x-omnimeter-request";

/** Names a request; what a client sent under that header means nothing. */
export function openRequest(request: IncomingMessage, response: ServerResponse): void {
  const name = randomBytes(12).toString("base64url");
  const left = new AbortController();
  request.headers[REQUEST_HEADER] = name;
  requests().set(name, left);
  response.once("close", () => {
    requests().delete(name);
    if (!response.writableFinished) left.abort();
  });
}

/** Aborts when whoever asked hangs up before the answer's end. null: there is no such request any more, or it is not known. */
export const leaving = (name: string | null): AbortSignal | null =>
  (name === null ? undefined : requests().get(name)?.signal) ?? null;
