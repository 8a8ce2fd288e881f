import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Refusal } from "./admit.ts";
import type { Figures } from "./figures.ts";
import { ownErrorMessage } from "./own-error.ts";

const ANSWERS: Record<string, Refusal> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: "omnimeter_headers_too_large",
    message: "the request's head is larger than 64 KiB.",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: "omnimeter_request_timeout",
    message: "the request's head did not arrive in time (OMNIMETER_CLIENT_TIMEOUT_MS).",
  },
};
const GARBAGE: Refusal = {
  status: 400,
  code: "omnimeter_bad_request",
  message: "this is not a valid HTTP request.",
};

/** What is not HTTP is refused and hung up on; an answer that is on its way on the same connection is not written into. */
export function refuseGarbage(figures: Figures, error: Error & { code?: string }, socket: Duplex): void {
  const answering = (socket as Duplex & { _httpMessage?: ServerResponse | null })._httpMessage;
  if (!socket.writable || answering?.headersSent) return void socket.destroy();
  const { status, code, message } = ANSWERS[error.code ?? ""] ?? GARBAGE;
  figures.ownError(code);
  socket.end(ownErrorMessage(status, STATUS_CODES[status] ?? "", code, message), () => socket.destroy());
}
