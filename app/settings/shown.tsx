import type { ReactNode } from "react";
import { Glyph } from "#app/_ui/glyph.tsx";
import type { Part } from "./read-part.ts";

/** A part of the page, or the sentence that stands in its place. */
export function Shown<T>({ part, children }: { part: Part<T>; children: (value: T) => ReactNode }) {
  if ("value" in part) return children(part.value);
  return (
    <p className="mt-1 flex items-baseline gap-2 text-warn" data-testid="unread">
      <Glyph name="warn" />
      Could not be read: {part.problem}
    </p>
  );
}
