import { formatCount, plural } from "#app/_ui/format.ts";
import type { EquationOfAll } from "#db/queries/health-spools.ts";

export interface Verdict {
  good: boolean;
  sentences: string[];
}

/** Does every accepted call stand somewhere? */
export function equationVerdict({ accepted, missing, surplus, dropped }: EquationOfAll): Verdict {
  if (accepted === 0) return { good: true, sentences: ["Nothing was accepted yet, as far as a recorder has read."] };
  const sentences: string[] = [];
  if (missing > 0)
    sentences.push(
      `It differs by ${formatCount(missing)}: ${plural(missing, "call")} of workers that are gone ${missing === 1 ? "is" : "are"} neither stored nor set aside nor counted as dropped. Their part of the spool was deleted, or is on a disk that no recorder reads.`,
    );
  if (surplus > 0)
    sentences.push(
      `It differs by ${formatCount(surplus)}: more calls ended than were accepted. That must not happen: please report it with the table below.`,
    );
  if (sentences.length > 0) return { good: false, sentences };
  sentences.push("It adds up: every accepted call stands somewhere.");
  if (dropped > 0) sentences.push(`${plural(dropped, "call")} went through unrecorded; the reasons are below.`);
  return { good: true, sentences };
}
