import type { Outcome } from "#lib/call.ts";
import type { GlyphName } from "./glyph.tsx";

/** Each outcome's word, glyph and colour, everywhere. */
export const OUTCOME_LOOKS: Record<Outcome, { label: string; glyph: GlyphName; colour: string }> = {
  completed: { label: "Completed", glyph: "check", colour: "text-good" },
  failed: { label: "Failed", glyph: "cross", colour: "text-bad" },
  client_aborted: { label: "Client aborted", glyph: "stop", colour: "text-muted" },
  truncated: { label: "Cut off", glyph: "broken", colour: "text-bad" },
  unreachable: { label: "Unreachable", glyph: "unplugged", colour: "text-bad" },
  interrupted: { label: "Interrupted", glyph: "bolt", colour: "text-warn" },
};
