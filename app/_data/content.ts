import { join } from "node:path";
import type { Content } from "#lib/call.ts";
import { readConfig } from "#lib/config.ts";
import { readKey } from "#lib/keys.ts";
import { openContent } from "#lib/privacy/seal.ts";

/** What was said, or a sentence that says why it is not here. */
export type Said = { content: Content; redactions: Record<string, number> } | { why: string };

interface Circumstances {
  startedAtMs: number;
  problems: readonly string[];
  /** The oldest content that is still kept. */
  oldestMs: number | null;
}

export function openSaid(
  payload: { sealed: Buffer; redactions: Record<string, number> } | null,
  circumstances: Circumstances,
): Said {
  const { dataDir, capture } = readConfig();
  if (!payload) return { why: whyNone(capture, circumstances) };
  try {
    const key = readKey(join(dataDir, "keys", "content.key"));
    return { content: openContent(payload.sealed, key), redactions: payload.redactions };
  } catch (error) {
    return { why: `Content is stored but cannot be opened here. ${error instanceof Error ? `${error.message}.` : ""}` };
  }
}

function whyNone(capture: "full" | "facts", { startedAtMs, problems, oldestMs }: Circumstances): string {
  if (problems.includes("redaction_failed"))
    return "The content could not be redacted, so it was dropped. The facts of the call are complete.";
  if (capture === "facts") return "Content is not kept: OMNIMETER_CAPTURE is set to facts.";
  if (oldestMs !== null && startedAtMs < oldestMs)
    return "The content is older than what is kept: its retention is over, or it was never stored. The facts stay.";
  return "No content was stored for this call: nothing readable was seen, or OMNIMETER_CAPTURE was set to facts then.";
}
