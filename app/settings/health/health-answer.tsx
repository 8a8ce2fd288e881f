import { Glyph } from "#app/_ui/glyph.tsx";

/** What became of a form of this section, in a word for the address and a sentence for people. */
export const HEALTH_ANSWERS = {
  asked: {
    good: true,
    sentence: "It will be tried again within seconds, by the recorder that has the key of its spool.",
  },
  "nothing-asked": { good: false, sentence: "It is not set aside any more: there is nothing to try again." },
  cancelled: { good: true, sentence: "The query is cancelled." },
  "nothing-cancelled": {
    good: false,
    sentence: "This query is not running any more, or is none of a page or an export.",
  },
  refused: { good: false, sentence: "The database did not do it: it is away, read-only, or busy. Try again later." },
  unknown: { good: false, sentence: "That is not understood: use the buttons of this page." },
} as const;
export type HealthAnswerName = keyof typeof HEALTH_ANSWERS;

/** `said`: the address's word; what is none of ours is shown as nothing. */
export function HealthAnswer({ said }: { said: string | null }) {
  if (said === null || !Object.hasOwn(HEALTH_ANSWERS, said)) return null;
  const { good, sentence } = HEALTH_ANSWERS[said as HealthAnswerName];
  return (
    <p
      role={good ? "status" : "alert"}
      className={`mt-3 flex items-center gap-2 ${good ? "text-good" : "text-warn"}`}
      data-testid="health-answer"
    >
      <Glyph name={good ? "check" : "warn"} />
      {sentence}
    </p>
  );
}
