import type { Modality } from "#lib/modalities.ts";
import { modalitiesOf, unitOf } from "../bodies/parts.ts";
import type { Facts } from "../facts.ts";
import { readUsage } from "./usage.ts";

/** The last step of every reader of a generating shape: what follows from messages and the usage object together. */
export function settleUsage(facts: Facts, rawUsage: unknown): void {
  const { input, output } = facts.content;
  const produced = output.some((message) => message.parts.length > 0);
  const mixedInput = input.some(({ parts }) => parts.some(({ type }) => MIXED.has(type)));
  const { usage, lines, problems } = readUsage(rawUsage, { produced, mixedInput });
  facts.usage = usage;
  facts.lines = lines;
  facts.problems.push(...problems);
  facts.unit = unitOf(input);
  facts.inputModalities = together(modalitiesOf(input), facts, "input");
  facts.outputModalities = together(modalitiesOf(output), facts, "output");
}

/** A file may hold pictures. */
const MIXED = new Set(["image", "audio", "file"]);

function together(seen: Modality[], facts: Facts, direction: "input" | "output"): Modality[] {
  for (const line of facts.lines)
    if (line.direction === direction && line.modality !== "none" && !seen.includes(line.modality))
      seen.push(line.modality);
  return seen;
}
