import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Figures } from "./figures.ts";

/** Answers in OpenAI's error shape, and says that Omnimeter does. A stable code for programs, a sentence for people. */
export function answerOwnError(
  figures: Figures,
  res: ServerResponse,
  status: number,
  code: string,
  message: string,
): void {
  figures.ownError(code);
  const body = bodyOf(code, message);
  res.writeHead(status, STATUS_CODES[status], {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-omnimeter-error": code,
  });
  res.end(body);
}

/** The same as a whole HTTP message, for an upgrade that gets no further: there is only the bare socket. */
export function ownErrorMessage(status: number, reason: string, code: string, message: string): string {
  const body = bodyOf(code, message);
  return [
    `HTTP/1.1 ${status} ${reason}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-omnimeter-error: ${code}`,
    "connection: close",
    "",
    body,
  ].join("\r\n");
}

const bodyOf = (code: string, message: string): string =>
  JSON.stringify({ error: { message: `Omnimeter: ${message}`, type: "omnimeter_error", param: null, code } });
