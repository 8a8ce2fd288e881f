import type { Turn } from "./turn.ts";

/** What the client says about a call, as the headers that Omnimeter reads: name, value, name, value… */
export function attributionHeaders(turn: Turn): string[] {
  const { whose, script, version, operationId, attempt } = turn;
  const given: [name: string, value: string | null][] = [
    ["feature", whose.feature],
    ["customer", whose.customer],
    ["user", whose.user],
    ["session", whose.session],
    ["template", script.template.name],
    ["template-version", version.version],
    ["release", whose.release],
    ["environment", whose.environment],
  ];
  const headers = given.flatMap(([name, value]) =>
    value === null ? [] : [`x-omnimeter-${name}`, encodeURIComponent(value)],
  );
  const tags = Object.entries(whose.tags).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  if (tags.length) headers.push("x-omnimeter-tags", tags.join(","));
  if (operationId) headers.push("x-omnimeter-operation", `${operationId};attempt=${attempt}`);
  return headers;
}
