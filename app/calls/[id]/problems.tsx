import { Glyph } from "#app/_ui/glyph.tsx";
import { problemSentence } from "./problem-sentence.ts";

/** What readers found odd, in sentences. */
export function Problems({ codes }: { codes: readonly string[] }) {
  return (
    <ul className="mt-3 grid gap-1" aria-label="Problems">
      {codes.map((code) => (
        <li key={code} className="flex items-baseline gap-2 text-warn">
          <Glyph name="warn" />
          <span className="min-w-0">
            {problemSentence(code)} <code className="font-mono text-xs text-muted break-all">{code}</code>
          </span>
        </li>
      ))}
    </ul>
  );
}
