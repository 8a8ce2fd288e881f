import type { JsonObject } from "../bodies/json.ts";
import { asObject, asText } from "../bodies/json.ts";

const CREDENTIAL = "[secret]";

/**
 * A tool without what opens it: an MCP server's token, the values of its headers, what stands behind its address. By their place these
 * are secrets, whatever they look like; redaction, which goes by looks, comes after.
 */
export function withoutCredentials(tool: JsonObject): JsonObject {
  if (tool.type !== "mcp") return tool;
  const bare: Record<string, unknown> = { ...tool };
  if ("authorization" in bare) bare.authorization = CREDENTIAL;
  const headers = asObject(bare.headers);
  if (headers) bare.headers = Object.fromEntries(Object.keys(headers).map((name) => [name, CREDENTIAL]));
  const url = asText(bare.server_url);
  if (url !== null)
    bare.server_url = url.replace(/\/\/[^/@?#]*@/, `//${CREDENTIAL}@`).replace(/[?#].*$/s, `?${CREDENTIAL}`);
  return bare;
}
