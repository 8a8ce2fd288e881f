import type { View } from "#app/_frame/view.ts";
import { Glyph, type GlyphName } from "#app/_ui/glyph.tsx";
import type { AlertRule } from "#db/queries/settings-page.ts";
import { ALERT_CLOSES_AT } from "#lib/alert.ts";
import { formatAlertValue, momentWords, unknownWords } from "./alert-words.ts";

/** A rule that was not looked at for so long is not watched. */
const STALE_MS = 300_000;

/** What a rule says, as glyph, words and colour. */
export function RuleState({ rule, view }: { rule: AlertRule; view: View }) {
  const { glyph, words, colour } = stateOf(rule, view);
  return (
    <p className={`flex min-w-0 items-baseline gap-2 ${colour}`} data-testid="rule-state">
      {glyph && <Glyph name={glyph} />}
      <span className="min-w-0 [overflow-wrap:anywhere]">{words}</span>
    </p>
  );
}

interface State {
  glyph: GlyphName | null;
  words: string;
  colour: string;
}

export function stateOf(rule: AlertRule, { nowMs, zone }: Pick<View, "nowMs" | "zone">): State {
  const { enabled, checkedAt, problem, value, alert, measure, threshold } = rule;
  const calm = (words: string): State => ({ glyph: null, words, colour: "text-muted" });
  const warning = (words: string): State => ({ glyph: "warn", words, colour: "text-warn" });
  if (!enabled) return calm("off");
  if (checkedAt === null) return calm("not checked yet");
  const since = alert && momentWords(alert.openedAt.getTime(), nowMs, zone);
  const open = since ? `above since ${since}; ` : "";
  if (nowMs - checkedAt.getTime() > STALE_MS)
    return warning(
      `${open}not checked since ${momentWords(checkedAt.getTime(), nowMs, zone)}: is the recorder running?`,
    );
  if (problem !== null) return warning(`${open}${unknownWords(rule)}`);
  if (value === null) return open ? warning(`${open}${unknownWords(rule)}`) : calm(unknownWords(rule));
  if (!alert) return { glyph: "check", words: "ok", colour: "text-good" };
  if (value > threshold) return { glyph: "cross", words: `above since ${since}`, colour: "text-bad" };
  const over = formatAlertValue(measure, threshold * ALERT_CLOSES_AT);
  return warning(`open since ${since}; over at ${over}`);
}
