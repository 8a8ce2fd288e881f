import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Figures } from "./figures.ts";
import { ownErrorMessage } from "./own-error.ts";

const ANSWERS: Record<string, [number, string, string]> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "the request's head is larger than 64 KiB."],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "the request's head did not arrive in time."],
};

/** What is not HTTP is refused and hung up on; an answer that is on its way on the same connection is not written into. */
export function refuseGarbage(figures: Figures, error: Error & { code?: string }, socket: Duplex): void {
  const answering = (socket as Duplex & { _httpMessage?: ServerResponse | null })._httpMessage;
  if (!socket.writable || answering?.headersSent) return void socket.destroy();
  const [status, reason, message] = ANSWERS[error.code ?? ""] ?? [
    400,
    "Bad Request",
    "this is not a valid HTTP request.",
  ];
  figures.ownError("omnimeter_bad_request");
  socket.end(ownErrorMessage(status, reason, "omnimeter_bad_request", message), () => socket.destroy());
}
