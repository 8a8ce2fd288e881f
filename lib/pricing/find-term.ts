import type { PriceTerm } from "#lib/price-term.ts";

export interface DatedTerm {
  fromMs: number;
  term: PriceTerm;
}

export interface TermQuery {
  projectId: string;
  upstream: string;
  /** As the price book names it. */
  model: string;
  /** Milliseconds since the epoch. */
  atMs: number;
}

/**
 * Terms in the order in which they are asked: of several that fit, the one that names the model most exactly, then the one that names
 * the upstream; of those for the same models and upstream the newest.
 */
export const inOrder = (terms: readonly PriceTerm[]): DatedTerm[] =>
  terms
    .map((term) => ({ fromMs: Date.parse(term.effectiveFrom), term }))
    .sort((a, b) => exactness(b.term) - exactness(a.term) || newness(b, a));

/** The term that a project pays by, out of terms in order. null: the list price. */
export function findTerm(terms: readonly DatedTerm[], query: TermQuery): PriceTerm | null {
  return terms.find((dated) => fits(dated, query))?.term ?? null;
}

function fits({ fromMs, term: { projectId, models, upstream } }: DatedTerm, query: TermQuery): boolean {
  return (
    projectId === query.projectId &&
    fromMs <= query.atMs &&
    (upstream === null || upstream === query.upstream) &&
    (models.endsWith("*") ? query.model.startsWith(models.slice(0, -1)) : query.model === models)
  );
}

/** A whole name before any beginning, a longer beginning before a shorter one; of equals, one upstream before all of them. */
const exactness = ({ models, upstream }: PriceTerm): number =>
  (models.endsWith("*") ? models.length : 1000) * 2 + (upstream === null ? 0 : 1);

/** Of two of one day, the one that was said last is newer; their ids are in order even within a millisecond. */
const newness = (a: DatedTerm, b: DatedTerm): number =>
  a.fromMs - b.fromMs || a.term.addedAtMs - b.term.addedAtMs || (a.term.id < b.term.id ? -1 : 1);
