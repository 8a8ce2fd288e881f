import type { Content } from "#lib/call.ts";
import { findCards } from "./cards.ts";
import { findSecrets } from "./secrets.ts";
import type { Span } from "./span.ts";

export interface Redacted {
  content: Content;
  redactions: Record<string, number>;
}

/** Every expression is linear; this is for the day when one is not. Clean text takes a hundredth of it. */
const BUDGET_MS = 250;
const BUDGET_MS_PER_MB = 500;

/**
 * The content with secrets and payment cards replaced in every string, names of fields included.
 * @throws when it takes too long or is nested too deeply to be read
 */
export function redactContent(content: Content): Redacted {
  const redactions: Record<string, number> = {};
  const started = performance.now();
  let characters = 0;
  const redactString = (text: string): string => {
    characters += text.length;
    const clean = redact(text, redactions);
    const allowed = BUDGET_MS + (characters / 1e6) * BUDGET_MS_PER_MB;
    if (performance.now() - started > allowed) throw new Error(`Redaction took longer than ${Math.round(allowed)} ms`);
    return clean;
  };
  return { content: mapStrings(content, redactString) as Content, redactions };
}

/** For facts that repeat what somebody sent: the message of a 401 holds part of the key. */
export const redactText = (text: string): string => redact(text, {});

function redact(text: string, redactions: Record<string, number>): string {
  if (text.length < SHORTEST) return text;
  const spans = [...findSecrets(text), ...findCards(text)];
  if (!spans.length) return text;
  let clean = "";
  let at = 0;
  for (const { start, end, label } of disjoint(spans)) {
    clean += `${text.slice(at, start)}[${label}]`;
    at = end;
    redactions[label] = (redactions[label] ?? 0) + 1;
  }
  return clean + text.slice(at);
}

/** Shorter than any of the forms. */
const SHORTEST = 8;

/** Of overlapping finds the one that starts first names the whole stretch; of two at one place, the longer. */
function disjoint(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last && span.start < last.end) last.end = Math.max(last.end, span.end);
    else merged.push({ ...span });
  }
  return merged;
}

function mapStrings(value: unknown, change: (text: string) => string, name?: string): unknown {
  if (typeof value === "string") return name === undefined ? change(value) : changeNamed(name, value, change);
  if (Array.isArray(value)) return value.map((one) => mapStrings(one, change));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [change(key), mapStrings(one, change, key)]));
}

/** `{"password": "hunter22"}` is told by its field's name, as it would be in text. */
function changeNamed(name: string, value: string, change: (text: string) => string): string {
  if (!SENSITIVE.test(name) || value.length > 200) return change(value);
  const prefix = `${name}: "`;
  const changed = change(`${prefix}${value}`);
  return changed.startsWith(prefix) ? changed.slice(prefix.length) : change(value);
}
const SENSITIVE = /pass|pwd|secret|token|key|auth|cred/i;
