import type { Feedback } from "#lib/feedback.ts";
import type { Ids } from "./ids.ts";
import type { Random } from "./random.ts";
import type { Version } from "./templates.ts";
import type { Turn } from "./turn.ts";
import { COMPLAINTS, CORRECTIONS, LABELS, PRAISE } from "./words.ts";

/** Feedback, and the call that it is about; null: a call that never comes, or a session. */
export interface Judged {
  readonly feedback: Feedback;
  readonly callId: string | null;
}

const SCORE_MEDIAN_MS = 90_000;

/** What end users say about calls. `endMs` of a call is when they have its answer. */
export function createJudge(random: Random, ids: Ids): (turn: Turn, endMs: number) => Judged[] {
  const thumbs = createThumbs(random);

  return (turn, endMs) => {
    const { template } = turn.script;
    const { feedback: habit } = template;
    const isHeard =
      turn.ending.kind === "completed" && turn.script.tool === null && turn.whose.environment === "production";
    if (!habit || !isHeard || !random.chance(habit.share)) return [];
    const atMs = Math.floor(endMs + random.logNormal(SCORE_MEDIAN_MS / 4, 1));
    if (habit.kind === "score") return [score(turn, atMs)];
    if (habit.kind === "correction") return [correction(turn, atMs)];
    const up = thumbs(turn.version);
    return up === null ? [] : thumb(turn, atMs, up);
  };

  function thumb(turn: Turn, atMs: number, up: boolean): Judged[] {
    const byResponse = random.chance(0.3);
    const target = byResponse
      ? ({ kind: "response", id: turn.responseId } as const)
      : ({ kind: "call", id: turn.id } as const);
    const said = random.chance(up ? 0.05 : 0.35);
    const last: Judged = {
      callId: turn.id,
      feedback: {
        ...plain(turn, atMs),
        target,
        rating: up ? "up" : "down",
        comment: said ? random.pick(up ? PRAISE : COMPLAINTS) : null,
        labels: !up && random.chance(0.4) ? [random.pick(LABELS)] : [],
      },
    };
    if (!random.chance(0.03)) return [last];
    // Somebody who thinks again: only the last word counts.
    const first = { ...plain(turn, atMs - 4000), target, rating: up ? ("down" as const) : ("up" as const) };
    return [{ callId: turn.id, feedback: first }, last];
  }

  function score(turn: Turn, atMs: number): Judged {
    const { session } = turn.whose;
    const value = 1 + Math.min(4, Math.floor(random.logNormal(3.4, 0.3)));
    // A guest judges the conversation, not one answer.
    const target = session ? ({ kind: "session", id: session } as const) : ({ kind: "call", id: turn.id } as const);
    return { callId: session ? null : turn.id, feedback: { ...plain(turn, atMs), target, score: value } };
  }

  function correction(turn: Turn, atMs: number): Judged {
    const feedback = { ...plain(turn, atMs), correction: random.pick(CORRECTIONS), labels: ["wrong facts"] };
    return { callId: turn.id, feedback: { ...feedback, rating: "down" } };
  }

  function plain(turn: Turn, atMs: number): Feedback {
    return {
      id: ids.at(atMs),
      receivedAtMs: atMs,
      target: { kind: "call", id: turn.id },
      item: null,
      rating: null,
      score: null,
      comment: null,
      correction: null,
      labels: [],
      rater: turn.whose.user ?? "",
    };
  }
}

/** Judgements of calls that nobody has seen: they wait. */
export function waitingFeedback(ids: Ids, untilMs: number): Judged[] {
  return Array.from({ length: 5 }, (_, n) => {
    const atMs = untilMs - (n + 1) * 3_600_000 * 7;
    const target =
      n % 2
        ? ({ kind: "response", id: ids.response(atMs) } as const)
        : ({ kind: "call", id: ids.at(atMs - 60_000) } as const);
    const nothing = { item: null, score: null, comment: null, correction: null, labels: [] };
    return {
      callId: null,
      feedback: { id: ids.at(atMs), receivedAtMs: atMs, target, rating: "down", rater: `u-${n + 1}`, ...nothing },
    };
  });
}

/**
 * Thumbs of which exactly `up` of every `of` point up, in an order of chance. null: no more ratings of this version, or nobody
 * rates it.
 */
function createThumbs(random: Random): (version: Version) => boolean | null {
  const given = new Map<Version, { count: number; rest: boolean[] }>();
  return (version) => {
    const { rating } = version;
    if (!rating) return random.chance(0.9);
    const state = given.get(version) ?? { count: 0, rest: [] };
    given.set(version, state);
    if (state.count >= (rating.most ?? Infinity)) return null;
    if (state.rest.length === 0) state.rest = shuffled(random, rating.up, rating.of);
    state.count++;
    return state.rest.pop() as boolean;
  };
}

function shuffled(random: Random, up: number, of: number): boolean[] {
  const list = Array.from({ length: of }, (_, n) => n < up);
  for (let n = of - 1; n > 0; n--) {
    const other = random.below(n + 1);
    [list[n], list[other]] = [list[other] as boolean, list[n] as boolean];
  }
  return list;
}
