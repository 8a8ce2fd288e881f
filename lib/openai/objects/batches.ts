import type { Usage } from "#lib/call.ts";
import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText, objectsIn } from "../bodies/json.ts";
import { sentence } from "../error.ts";
import type { ChildFacts, Facts } from "../facts.ts";
import { noFacts, noUsage } from "../no-facts.ts";
import { readPlain } from "../plain.ts";
import { readMetadata } from "../request.ts";
import { readUsage } from "../usage/usage.ts";
import { childOf, secondsToMs } from "./child.ts";

/**
 * Batches: created, looked at, listed, cancelled. One that is over tells of a call, which stands for all its lines and leads from the
 * files with its answers to whoever submitted it. Its usage and that of the lines in the file are the same, and counted once.
 */
export function readBatch(exchange: Exchange, bodies: Bodies): Facts {
  const facts = readPlain(exchange, bodies);
  if (bodies.response.kind !== "json") return facts;
  const { value } = bodies.response;
  const batches = value.object === "list" ? objectsIn(value.data) : [value];
  facts.children = batches.flatMap(batchCall);
  // One that has not begun says that it has used nothing; what one in progress says is not final.
  const stated = value.object === "batch" ? usageOf(value).usage : facts.usage;
  if (isZero(stated)) facts.usage = stated;
  return facts;
}

function batchCall(batch: JsonObject): ChildFacts[] {
  const id = asText(batch.id);
  const endedAtMs = secondsToMs(batch[ENDED[asText(batch.status) ?? ""] ?? ""]);
  if (batch.object !== "batch" || id === null || endedAtMs === null) return [];
  const files = [batch.output_file_id, batch.error_file_id].flatMap((file) => asText(file) ?? []);
  const read = usageOf(batch);
  // Batches of 2025 and older have no usage, or zeros: it stands in the lines of their files alone.
  const states = read.usage.source !== "none" && !isZero(read.usage);
  if (!states && files.length === 0) return [];
  const error = objectsIn(asObject(batch.errors)?.data)[0];
  const facts: Facts = {
    ...noFacts(),
    model: asText(batch.model),
    serviceTier: "batch",
    usage: states ? read.usage : noUsage(),
    lines: read.lines,
    problems: read.problems,
    finishReasons: batch.status === "completed" ? [] : [asText(batch.status) ?? ""],
    outcome: batch.status === "failed" ? "failed" : "completed",
    error: error ? { type: null, code: asText(error.code), message: sentence(error.message) } : null,
    objectIds: files,
    inherits: id,
    countsFor: states ? (asText(batch.output_file_id) ?? id) : null,
  };
  readMetadata(facts, batch);
  return [childOf("batch", ["batch", id], endedAtMs, facts)];
}

const usageOf = (batch: JsonObject) => readUsage(batch.usage, { produced: false, mixedInput: false });

const isZero = ({ inputTokens, outputTokens, totalTokens }: Usage): boolean =>
  !inputTokens && !outputTokens && !totalTokens;

/** The ways in which a batch is over, and where it says when. What was answered until then is billed. */
const ENDED: Readonly<Record<string, string>> = {
  completed: "completed_at",
  expired: "expired_at",
  cancelled: "cancelled_at",
  failed: "failed_at",
};
