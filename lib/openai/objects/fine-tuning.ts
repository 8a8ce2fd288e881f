import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asText, objectsIn } from "../bodies/json.ts";
import type { ChildFacts, Facts } from "../facts.ts";
import { noFacts } from "../no-facts.ts";
import { readPlain } from "../plain.ts";
import { childOf, secondsToMs } from "./child.ts";

/** Fine-tuning jobs, their events and checkpoints. A job that has succeeded tells of a call: the training, billed by what it trained on. */
export function readFineTuning(exchange: Exchange, bodies: Bodies): Facts {
  const facts = readPlain(exchange, bodies);
  if (bodies.response.kind !== "json") return facts;
  const { value } = bodies.response;
  const jobs = value.object === "list" ? objectsIn(value.data) : [value];
  facts.children = jobs.flatMap(training);
  return facts;
}

function training(job: JsonObject): ChildFacts[] {
  const id = asText(job.id);
  const base = asText(job.model);
  const finishedAtMs = secondsToMs(job.finished_at);
  const { trained_tokens: tokens } = job;
  if (job.object !== "fine_tuning.job" || job.status !== "succeeded") return [];
  if (id === null || finishedAtMs === null || typeof tokens !== "number") return [];
  const isCount = Number.isInteger(tokens) && tokens >= 0 && tokens <= TRAINED_MAX;
  const tuned = asText(job.fine_tuned_model);
  const facts: Facts = {
    ...noFacts(),
    requestModel: base,
    model: tuned,
    objectIds: tuned === null ? [] : [tuned],
    inherits: id,
    problems: isCount ? [] : ["usage_bad_number"],
    lines:
      isCount && tokens > 0
        ? [
            {
              direction: "tool",
              modality: "text",
              cache: "none",
              unit: "training_token",
              product: base && (base.startsWith("ft:") ? base.split(":", 2).join(":") : `ft:${base}`),
              quantity: tokens,
              source: "reported",
            },
          ]
        : [],
  };
  return [childOf("fine_tuning", [id], finishedAtMs, facts)];
}

/** A file of 512 MB over many epochs: nothing true is beyond it. */
const TRAINED_MAX = 1e12;
