import type { IncomingMessage, ServerResponse } from "node:http";
import { parseFeedback } from "#lib/feedback.ts";
import { answerOwnError } from "./own-error.ts";
import type { RelayContext } from "./relay-context.ts";

const BODY_BYTES_MAX = 64 << 10;

/** POST /omnimeter/v1/feedback: into the spool like a call, then 202. It may come before its call is stored. */
export function answerFeedback(
  { spool, newId, figures }: Pick<RelayContext, "spool" | "newId" | "figures">,
  req: IncomingMessage,
  res: ServerResponse,
): void {
  const refuse = (status: number, code: string, message: string) => answerOwnError(figures, res, status, code, message);
  if (req.method !== "POST") return refuse(405, "feedback_bad_method", "feedback is sent with POST.");
  const chunks: Buffer[] = [];
  let bytes = 0;
  req.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  });
  req.on("end", () => {
    // It came after all, but it was given up already.
    if (res.headersSent) return;
    if (bytes > BODY_BYTES_MAX)
      return refuse(413, "feedback_too_large", `a feedback has at most ${BODY_BYTES_MAX} bytes.`);
    let json: unknown;
    try {
      json = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    } catch {
      return refuse(400, "feedback_bad_json", "the body is not JSON.");
    }
    const feedback = parseFeedback(json, newId(), Date.now());
    if ("code" in feedback) return refuse(400, feedback.code, feedback.message);
    const kept = spool.feedback(JSON.stringify(feedback), (written) => {
      if (!written) return refuse(...NOT_NOW);
      res.writeHead(202, { "content-type": "application/json" });
      res.end(JSON.stringify({ id: feedback.id }));
    });
    if (!kept) refuse(...NOT_NOW);
  });
}

const NOT_NOW = [
  503,
  "feedback_not_kept",
  "the spool cannot take it now (disk full or slow); send it again later.",
] as const;
