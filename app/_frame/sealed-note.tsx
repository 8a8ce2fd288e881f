import { Suspense } from "react";
import { database } from "#app/_data/database.ts";
import { sealedUntil } from "#db/sealed.ts";
import { sealedSentence } from "./sealed-sentence.ts";

/** Below a range that reaches behind what is kept: a figure that is too small must not look like all. */
export function SealedNote({ fromMs }: { fromMs: number }) {
  return (
    <Suspense>
      <Note fromMs={fromMs} />
    </Suspense>
  );
}

async function Note({ fromMs }: { fromMs: number }) {
  // A database that does not answer is said elsewhere.
  const sentence = sealedSentence(await sealedUntil(database()).catch(() => null), fromMs);
  if (sentence === null) return null;
  return (
    <p className="w-full text-xs text-muted" data-testid="sealed">
      {sentence}
    </p>
  );
}
