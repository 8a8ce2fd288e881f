import type { Exchange } from "#lib/exchange.ts";
import type { Observation } from "#lib/observation.ts";
import { decodeExchange } from "#lib/recorder/decode-exchange.ts";
import { type CallTelemetry, type CallTelemetryOptions, createCallTelemetry } from "#lib/telemetry/call-telemetry.ts";
import { type OtlpReceiver, startOtlpReceiver } from "#tests/support/otlp-receiver.ts";

/** As the recorder hands a call over. */
export async function observe(exchange: Exchange, observes: "facts" | "content" = "facts"): Promise<Observation> {
  const { observation } = await decodeExchange(exchange, {
    projectId: "default",
    contentKey: null,
    knownInstructions: new Set(),
    observes,
  });
  return observation as Observation;
}

interface Exported extends Pick<OtlpReceiver, "spans" | "metrics" | "requests"> {
  counts: ReturnType<CallTelemetry["counts"]>;
}

/** Sends observations to a collector through the real exporters, and gives what arrived. */
export async function exported(
  observations: readonly Observation[],
  options: Partial<CallTelemetryOptions> = {},
  env: Record<string, string> = {},
): Promise<Exported> {
  const receiver = await startOtlpReceiver();
  const telemetry = startTelemetry(receiver.url, options, env);
  telemetry.record(observations);
  await telemetry.shutdown();
  await receiver.stop();
  const { spans, metrics, requests } = receiver;
  return { spans, metrics, requests, counts: telemetry.counts() };
}

/** The SDK reads its variables when it starts, and only then. */
export function startTelemetry(
  url: string,
  options: Partial<CallTelemetryOptions> = {},
  env: Record<string, string> = {},
): CallTelemetry {
  const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env };
  Object.assign(process.env, variables);
  try {
    return createCallTelemetry({
      traces: { protocol: "http/protobuf", queueSpans: 2048 },
      metrics: { protocol: "http/protobuf", everyMs: 60_000 },
      upstreams: { default: "https://api.openai.com" },
      log: () => {},
      ...options,
    });
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
}
