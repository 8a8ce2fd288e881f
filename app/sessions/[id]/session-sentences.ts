import { formatDuration, formatMoney, formatShare, plural } from "#app/_ui/format.ts";
import type { Session, SessionEnd, Turn } from "#lib/session.ts";
import type { Context } from "./context.ts";
import { TURN_KINDS } from "./turn-words.ts";

export interface SessionFigures {
  session: Pick<
    Session,
    | "kind"
    | "endReason"
    | "closeCode"
    | "turns"
    | "bargeIns"
    | "falseBargeIns"
    | "wastedMs"
    | "wastedUsd"
    | "errors"
    | "toolCalls"
    | "rateLimits"
    | "idleMs"
  >;
  /** From its start to its end, or to what was last heard. */
  lastedMs: number | null;
  turns: readonly Turn[];
  context: Context;
  /** Calls with something that has no price. */
  unpriced: number;
}

/** What happened, in plain words. */
export function whatHappened({ session, lastedMs, turns }: SessionFigures): string[] {
  const confirmed = session.bargeIns;
  const wasted =
    session.wastedMs > 0 ? `${formatDuration(session.wastedMs)} of audio was generated but never heard` : "";
  return [
    `${lastedMs === null ? "It began" : `It lasted ${formatDuration(lastedMs)}`} with ${plural(session.turns, "turn")}. ${endInWords(session)}`,
    ...(confirmed > 0
      ? [
          `${plural(confirmed, "answer was", "answers were")} cut off by the user.${wasted && ` ${wasted}${wasteInWords(session.wastedUsd)}.`}`,
        ]
      : wasted
        ? [`${wasted}${wasteInWords(session.wastedUsd)}.`]
        : []),
    ...(session.falseBargeIns > 0
      ? [`${plural(session.falseBargeIns, "time")} speech was noticed during an answer that was not interrupted by it.`]
      : []),
    ...slowest(turns),
  ];
}

function slowest(turns: readonly Turn[]): string[] {
  const known = turns.filter((turn) => turn.latencyMs !== null);
  const [first, ...others] = known;
  if (!first || others.length === 0) return [];
  const worst = others.reduce((most, turn) => ((turn.latencyMs ?? 0) > (most.latencyMs ?? 0) ? turn : most), first);
  const tool = worst.toolMs === null ? "" : `, ${formatDuration(worst.toolMs)} of it in the tool`;
  return [
    `The longest wait was ${formatDuration(worst.latencyMs)} in turn ${worst.index + 1} (${TURN_KINDS[worst.kind].label.toLowerCase()})${tool}.`,
  ];
}

const wasteInWords = (usd: string | null) =>
  usd === null ? "; what it cost is not known" : ` and cost ${formatMoney(usd)}`;

const ENDS: Record<SessionEnd, string> = {
  client_closed: "The client closed it",
  server_closed: "The upstream closed it",
  expired: "It reached the provider's limit of time",
  reset: "The connection to the upstream broke",
  stopped: "The proxy was stopped and said goodbye",
  interrupted: "Omnimeter died while it was open; what had been seen until then is here",
};

export function endInWords({ endReason, closeCode }: Pick<Session, "endReason" | "closeCode">): string {
  if (endReason === null) return "It is still open.";
  return `${ENDS[endReason]}${closeCode === null ? "" : ` (close code ${closeCode})`}.`;
}

/** Short enough for a table. */
export const END_NAMES: Record<SessionEnd, string> = {
  client_closed: "Client closed",
  server_closed: "Upstream closed",
  expired: "Expired",
  reset: "Connection broke",
  stopped: "Proxy stopped",
  interrupted: "Interrupted",
};

/** A wait that people notice as one. */
const LONG_WAIT_MS = 1500;
const LOW_SHARE = 0.1;
const CONTEXT_TOKENS_MIN = 5000;

/** What could be done about it; only what this session gives a reason for. */
export function whatToDo({ session, turns, context, unpriced }: SessionFigures): string[] {
  const advice: string[] = [];
  if (session.wastedMs >= 1000)
    advice.push(
      "Ask for shorter answers, or cut the answer as soon as speech begins: what is generated is billed whether or not it is heard.",
    );
  if (session.falseBargeIns > 0)
    advice.push(
      "Noise or an echo may be taken for speech: a higher threshold of the turn detection, or echo cancelling, helps.",
    );
  const spoken = turns.filter(({ latencyMs, toolMs }) => latencyMs !== null && toolMs === null);
  const long = spoken.filter(({ latencyMs }) => (latencyMs ?? 0) > LONG_WAIT_MS);
  if (long.length > 0)
    advice.push(
      `${plural(long.length, "turn")} of ${spoken.length} without a tool waited more than ${formatDuration(LONG_WAIT_MS)}: part of a wait after speech is the silence that the turn detection asks for.`,
    );
  const tools = turns.filter(({ toolMs }) => (toolMs ?? 0) > LONG_WAIT_MS);
  if (tools.length > 0)
    advice.push(
      `${plural(tools.length, "tool")} took longer than ${formatDuration(LONG_WAIT_MS)}: let the model say that it is looking.`,
    );
  const { inputTokens, cachedTokens } = context;
  const isDear = cachedTokens !== null && context.billedAgain - cachedTokens > inputTokens / 2;
  if (inputTokens >= CONTEXT_TOKENS_MIN && isDear)
    advice.push(
      `${formatShare(context.billedAgain, inputTokens)} of the input had been sent before, and only ${formatShare(cachedTokens, inputTokens)} came from the cache: what stands at the beginning of the conversation must stay the same to be cached, and dropping old items costs the cache.`,
    );
  for (const [name, { limit, remaining }] of Object.entries(session.rateLimits))
    if (limit !== null && remaining !== null && limit > 0 && remaining / limit < LOW_SHARE)
      advice.push(
        `Of the limit of ${name} ${formatShare(remaining, limit)} was left: more sessions at once would be refused.`,
      );
  if (session.endReason === "expired")
    advice.push(
      "A session cannot be prolonged: open the next one before this one expires, and give both the same session name.",
    );
  if (unpriced > 0)
    advice.push(
      `${plural(unpriced, "call has", "calls have")} no price, or not a whole one: the cost above is a lower bound.`,
    );
  return advice;
}
