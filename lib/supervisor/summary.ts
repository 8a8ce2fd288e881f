import type { Config } from "#lib/config.ts";

interface Ports {
  proxyPort: number;
  dashboardPort: number;
}

/** The last thing that `npm start` says: where to point a client, and where to look. */
export function summary(config: Config, { proxyPort, dashboardPort }: Ports): string {
  const host = reachable(config.host);
  const baseUrl = `http://${host}:${proxyPort}/v1`;
  return `
Omnimeter is running.

  Base URL    ${baseUrl}
  Dashboard   http://${host}:${dashboardPort}

A first call:

  curl ${baseUrl}/chat/completions \\
    -H "authorization: Bearer $OPENAI_API_KEY" -H "content-type: application/json" \\
    -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello"}]}'

or in your code:

  const openai = new OpenAI({ baseURL: "${baseUrl}" });

Data is kept in ${config.dataDir}. Ctrl-C stops everything.
`;
}

/** Listening on every address is no address to go to. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
