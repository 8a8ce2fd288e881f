import { SETTINGS } from "#lib/config.ts";

export function help(): string {
  const rows = Object.entries(SETTINGS).map(([name, [fallback, meaning]]) => {
    const usual = fallback ? ` (${fallback})` : "";
    return `  ${name.padEnd(29)} ${meaning}${usual}`;
  });
  return `npm start sets up and runs Omnimeter: the proxy, the recorder, the dashboard and, unless DATABASE_URL is set,
an embedded PostgreSQL. Ctrl-C stops everything.

Settings are environment variables; what is used when they are not set stands in brackets.

${rows.join("\n")}
  ${"OTEL_*".padEnd(29)} the standard OpenTelemetry variables
`;
}
