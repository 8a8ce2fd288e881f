import { type Customer, drawCustomer } from "./customers.ts";
import type { Feature } from "./features.ts";
import type { Ids } from "./ids.ts";
import type { Random } from "./random.ts";

export interface Session {
  readonly id: string;
  readonly customer: Customer;
  readonly user: string;
  turnsBefore: number;
}

interface Open extends Session {
  turnsLeft: number;
  lastMs: number;
}

/** A conversation that is silent for so long is over. */
const SILENCE_MS = 10 * 60_000;
/** Conversations of a feature that are remembered as open. */
const OPEN_MAX = 24;

/** Conversations: a call begins one or goes on with one that is open. */
export function createSessions(random: Random, ids: Ids) {
  const open = new Map<Feature, Open[]>();

  /** null: the feature has no conversations. */
  function join(feature: Feature, ms: number): Session | null {
    if (feature.turnsMax <= 1) return null;
    const list = (open.get(feature) ?? []).filter(({ turnsLeft, lastMs }) => turnsLeft > 0 && ms - lastMs < SILENCE_MS);
    open.set(feature, list);
    const goesOn = list.length > 0 && (list.length >= OPEN_MAX || random.chance(0.6));
    const session = goesOn ? random.pick(list) : begin(feature, ms, list);
    const { id, customer, user, turnsBefore } = session;
    session.turnsBefore++;
    session.turnsLeft--;
    session.lastMs = ms;
    return { id, customer, user, turnsBefore };
  }

  function begin(feature: Feature, ms: number, list: Open[]): Open {
    const customer = drawCustomer(random);
    const id = ids.opaque("s-", 16);
    const turnsLeft = 1 + random.below(feature.turnsMax);
    const session = { id, customer, user: `u-${random.below(40) + 1}`, turnsBefore: 0, turnsLeft, lastMs: ms };
    list.push(session);
    return session;
  }

  return { join };
}
