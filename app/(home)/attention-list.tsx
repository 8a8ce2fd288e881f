import { Glyph, type GlyphName } from "#app/_ui/glyph.tsx";
import { Link } from "#app/_ui/link.tsx";
import type { Item } from "./attention.ts";

const LOOKS: Record<Item["weight"], { glyph: GlyphName; word: string; colour: string }> = {
  bad: { glyph: "cross", word: "Urgent", colour: "text-bad" },
  warn: { glyph: "warn", word: "Check", colour: "text-warn" },
  note: { glyph: "warn", word: "Note", colour: "text-muted" },
};

/** One sentence for each thing, with the way to it. Nothing to do is said too, calmly. */
export function AttentionList({ items }: { items: readonly Item[] }) {
  return (
    <section aria-labelledby="attention" className="mt-6" data-testid="attention">
      <h2 id="attention" className="text-lg font-semibold">
        Needs attention
      </h2>
      {items.length === 0 ? (
        <p className="mt-1 flex items-center gap-2 text-base text-muted">
          <span className="text-good">
            <Glyph name="check" />
          </span>
          Nothing needs attention.
        </p>
      ) : (
        <ol className="mt-1 max-w-5xl">
          {items.map(({ key, weight, sentence, href }) => (
            <li
              key={key}
              className="flex items-baseline gap-3 border-b border-rule py-1.5 text-base"
              data-testid={`attention-${key}`}
            >
              <span className={`inline-flex w-17 shrink-0 items-center gap-1.5 text-sm ${LOOKS[weight].colour}`}>
                <Glyph name={LOOKS[weight].glyph} />
                {LOOKS[weight].word}
              </span>
              <span className="min-w-0 [overflow-wrap:anywhere]">{sentence}</span>
              <Link href={href} className="text-link ml-auto inline-flex min-h-6 shrink-0 items-center text-sm">
                Show<span className="sr-only">: {sentence}</span>
              </Link>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
