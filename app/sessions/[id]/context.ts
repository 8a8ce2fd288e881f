import type { Turn } from "#lib/session.ts";

/** A call of the session, as far as its context is told. */
export interface ContextCall {
  id: string;
  inputTokens: number | null;
  cachedTokens: number | null;
  outputTokens: number | null;
  costUsd: string | null;
}

/** What one response was given to read, and how much of that it had been given before. */
export interface ContextStep {
  callId: string;
  /** Of the turn that the response belongs to; null: of none. */
  turn: number | null;
  inputTokens: number | null;
  cachedTokens: number | null;
  /** Input that an earlier response of the session had already been given: what was said since is the rest. null: not known. */
  billedAgain: number | null;
}

export interface Context {
  steps: ContextStep[];
  inputTokens: number;
  billedAgain: number;
  /** null: nobody stated any. */
  cachedTokens: number | null;
  /** Responses whose input is not known: in no sum. */
  unknown: number;
}

/**
 * The whole conversation is sent for each response. Of its input as much was billed before as the last response was given; a shorter input
 * means that something was dropped: then no more than that can have been there before.
 */
export function contextOf(calls: readonly ContextCall[], turns: readonly Turn[]): Context {
  const turnOf = turnsByCall(calls, turns);
  const context: Context = { steps: [], inputTokens: 0, billedAgain: 0, cachedTokens: null, unknown: 0 };
  let before: number | null = 0;
  for (const { id, inputTokens, cachedTokens } of calls) {
    const billedAgain = inputTokens === null || before === null ? null : Math.min(inputTokens, before);
    context.steps.push({ callId: id, turn: turnOf.get(id) ?? null, inputTokens, cachedTokens, billedAgain });
    if (inputTokens === null) context.unknown++;
    context.inputTokens += inputTokens ?? 0;
    context.billedAgain += billedAgain ?? 0;
    if (cachedTokens !== null) context.cachedTokens = (context.cachedTokens ?? 0) + cachedTokens;
    // What is not known leaves open how much the next one had been given.
    before = inputTokens;
  }
  return context;
}

/** A turn names the call of its last response; what came before that in a turn with a tool called the tool. */
function turnsByCall(calls: readonly ContextCall[], turns: readonly Turn[]): ReadonlyMap<string, number> {
  const last = new Map(turns.flatMap((turn) => (turn.callId === null ? [] : [[turn.callId, turn] as const])));
  const found = new Map<string, number>();
  let next: Turn | undefined;
  for (const { id } of calls.toReversed()) {
    const own = last.get(id);
    if (own) next = own;
    if (own || (next && next.toolCalls > 0)) found.set(id, (next as Turn).index);
  }
  return found;
}
