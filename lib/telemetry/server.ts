import type { Attributes } from "@opentelemetry/api";

export interface Server {
  /** `gen_ai.provider.name`. */
  provider: string;
  attributes: Attributes;
}

/**
 * An upstream as spans and metrics name it; without its URL (it is no longer configured) its address is not known.
 * The provider is whose flavour of telemetry it is, as far as the address tells: what speaks OpenAI's protocol and is
 * not known to be Azure is `openai`, a compatible server too.
 */
export function serverOf(url?: string): Server {
  if (url === undefined) return { provider: "openai", attributes: {} };
  const { protocol, hostname, port } = new URL(url);
  const defaultPort = protocol === "http:" ? 80 : 443;
  return {
    provider: /(^|\.)azure\.(com|us|cn)$/.test(hostname) ? "azure.ai.openai" : "openai",
    attributes: {
      "server.address": hostname.replace(/^\[|\]$/g, ""),
      "server.port": port ? Number(port) : defaultPort,
    },
  };
}
