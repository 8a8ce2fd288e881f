import type { Bodies } from "./bodies/body.ts";
import type { Facts } from "./facts.ts";

/** On wires whose answers name no model, the one that was asked for answered. A request that was refused had none. */
export function modelAsRequested(facts: Facts, { request, form }: Bodies): void {
  if (facts.requestModel === null && (request !== null || form !== null)) facts.problems.push("model_missing");
  if (facts.outcome === "failed" && facts.usage.source === "none") return;
  facts.model ??= facts.requestModel;
}
