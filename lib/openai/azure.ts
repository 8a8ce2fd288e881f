import type { Exchange } from "#lib/exchange.ts";
import { header } from "./bodies/body.ts";
import type { Facts } from "./facts.ts";

/**
 * Whether an upstream is Azure's: by its host, or where that is hidden behind another one, by what only Azure's paths and clients have.
 * A path below `/openai/v1` alone says nothing: other servers have it too.
 */
export function isAzure({ upstreamOrigin, upstreamTarget, headers }: Exchange["start"]): boolean {
  if (AZURE_HOST.test(upstreamOrigin) || upstreamTarget.includes("/openai/deployments/")) return true;
  if (!upstreamTarget.includes("/openai/")) return false;
  return /[?&]api-version=/.test(upstreamTarget) || header(headers, "api-key") !== null;
}

const AZURE_HOST = /\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)(:\d+)?$/;

/**
 * Azure charges for a prompt that its content filter refuses (400), and says nothing of how long it was
 * (https://learn.microsoft.com/azure/ai-services/openai/how-to/manage-costs). OpenAI does not.
 */
export function isChargedRefusal({ start, response }: Exchange, { error, usage }: Facts): boolean {
  return response?.status === 400 && error?.code === "content_filter" && usage.source === "none" && isAzure(start);
}

/** The estimate of what such a prompt took: nothing was generated, whatever the request allowed. */
export function settleRefusal({ usage, problems }: Facts): void {
  if (usage.bounds !== null) usage.bounds = { ...usage.bounds, outputHigh: 0 };
  problems.push("azure_filtered_prompt_charged");
}

/** Where OpenAI processes what is sent to one of its regional hosts (`eu.api.openai.com`): some models cost more there. */
export function regionOf({ upstreamOrigin }: Exchange["start"]): string | null {
  return /^https?:\/\/([a-z0-9-]+)\.api\.openai\.com(:\d+)?$/.exec(upstreamOrigin)?.[1] ?? null;
}
