/** JSON whose shape nobody promised: every access answers null instead of throwing. */
export type JsonObject = { readonly [key: string]: unknown };

export function asObject(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Objects only: what else stands in such a list is not ours to read. */
export function objectsIn(value: unknown): JsonObject[] {
  return asArray(value).filter((item): item is JsonObject => asObject(item) !== null);
}

/** null also for the empty string: Azure's first chunk sends empty ids and models, and they mean "not known". */
export function asText(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON text of a value, shortened, with embedded files taken out. */
export function shortJson(value: unknown, charsMax = 2000): string {
  const text = JSON.stringify(elideFiles(value)) ?? "null";
  return text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
}

/**
 * The same value with every embedded file (data URL, or a long run of base64) replaced by its kind and size. What holds none is given back
 * as it is, not as a copy: definitions of tools are long, come with every call, and hold none.
 */
export function elideFiles(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return elideText(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > 32) return "…";
  if (Array.isArray(value)) {
    const items = value.map((item) => elideFiles(item, depth + 1));
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  const source = value as JsonObject;
  let elided: Record<string, unknown> | null = null;
  for (const key of Object.keys(source)) {
    const item = elideFiles(source[key], depth + 1);
    if (item === source[key]) continue;
    elided ??= { ...source };
    elided[key] = item;
  }
  return elided ?? value;
}

function elideText(text: string): string {
  if (text.startsWith("data:")) {
    const comma = text.indexOf(",");
    if (comma > 0 && text.length > 200) return `${text.slice(0, comma)},(${text.length - comma - 1} characters)`;
  }
  if (text.length > 1000 && /^[A-Za-z0-9+/_-]{1000}/.test(text)) return `(${text.length} characters of base64)`;
  return text;
}
