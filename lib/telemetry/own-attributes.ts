import type { Attributes } from "@opentelemetry/api";
import type { Call, PricedLine } from "#lib/call.ts";
import { addMoney } from "#lib/money.ts";

const LIST_MAX = 128;

/** `omnimeter.*`: what the conventions have no name for. null is left out when the span is made. */
export function ownAttributes(call: Call): NullableAttributes {
  return {
    "omnimeter.call.id": call.id,
    "omnimeter.operation.id": call.operationId,
    "omnimeter.attempt": call.attempt,
    "omnimeter.endpoint": call.endpoint,
    "omnimeter.upstream": call.upstream,
    "omnimeter.outcome": call.outcome,
    "omnimeter.environment": call.environment,
    "omnimeter.feature": call.feature,
    "omnimeter.customer": call.customer,
    "omnimeter.session": call.session,
    "omnimeter.release": call.release,
    "omnimeter.upstream_request.id": call.upstreamRequestId,
    "omnimeter.overhead.ms": ownMs(call),
    "omnimeter.tool_calls.names": listed(call.toolCalls.map(({ name }) => name)),
    "omnimeter.problems": listed(call.problems),
    ...costAttributes(call),
  };
}

export type NullableAttributes = Record<string, Attributes[string] | null>;

const listed = (all: string[]): string[] | null => (all.length > 0 ? all.slice(0, LIST_MAX) : null);

/**
 * What the call spent in the proxy: from the request being here until it went upstream, without setting up a connection, and
 * from the upstream's last byte until the client had it. The same as `call_own_ms` in drizzle/.
 */
function ownMs({ timings: { requestEndMs, connectMs, sentMs, responseEndMs, durationMs } }: Call): number | null {
  if (sentMs === null) return null;
  const before = Math.max(0, sentMs - Math.min(requestEndMs ?? 0, sentMs) - (connectMs ?? 0));
  const after = durationMs === null || responseEndMs === null ? 0 : Math.max(durationMs - responseEndMs, 0);
  return before + after;
}

/** Exact as a decimal string, and as a double for those who calculate. Reported and estimated never mix; a sum that lacks a price is not given. */
function costAttributes({ usage, lines }: Call): NullableAttributes {
  const estimated = lines.filter(({ source }) => source === "estimated");
  const reported = costOf(lines.filter(({ source }) => source !== "estimated"));
  const guessed = costOf(estimated);
  return {
    "omnimeter.cost.usd": reported === null ? null : Number(reported),
    "omnimeter.cost.usd_exact": reported,
    "omnimeter.cost.estimated_usd": guessed === null ? null : Number(guessed),
    "omnimeter.cost.estimated_usd_exact": guessed,
    "omnimeter.cost.unpriced_lines": lines.filter(({ costUsd }) => costUsd === null).length || null,
    "omnimeter.usage.source": usage.source,
    "omnimeter.usage.estimated_input_tokens": usage.source === "estimated" ? usage.inputTokens : null,
    "omnimeter.usage.estimated_output_tokens": usage.source === "estimated" ? usage.outputTokens : null,
  };
}

function costOf(lines: PricedLine[]): string | null {
  if (lines.length === 0) return null;
  return lines.reduce<string | null>(
    (sum, { costUsd }) => (sum === null || costUsd === null ? null : addMoney(sum, costUsd)),
    "0",
  );
}
