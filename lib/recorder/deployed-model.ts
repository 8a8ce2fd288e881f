import type { ExchangeStart } from "#lib/exchange.ts";
import { deploymentInPath } from "#lib/openai/endpoints.ts";
import type { Facts } from "#lib/openai/facts.ts";

/** The models behind deployments, by their names (OMNIMETER_DEPLOYMENTS). */
export type Deployments = Readonly<Record<string, string>>;

/**
 * What answers of some endpoints do not say: which model a deployment has. An answer that names another one than the deployment is
 * right, whatever the settings say.
 */
export function deployedModel(
  { upstreamTarget }: ExchangeStart,
  { model, requestModel }: Pick<Facts, "model" | "requestModel">,
  deployments: Deployments = {},
): string | null {
  const name = deploymentInPath(upstreamTarget) ?? deploymentInQuery(upstreamTarget) ?? requestModel;
  if (name === null || !Object.hasOwn(deployments, name)) return model;
  return model === null || model === name ? (deployments[name] as string) : model;
}

/** Sockets name it there. */
function deploymentInQuery(target: string): string | null {
  const at = target.indexOf("?");
  return at < 0 ? null : new URLSearchParams(target.slice(at + 1)).get("deployment");
}
