import type { Modality } from "#lib/modalities.ts";
import type { Interval } from "#lib/range.ts";
import type { Reader, Scope } from "./call-filter.ts";
import {
  binMiddleMs,
  type PercentileBins,
  type Percentiles,
  percentileBins,
  percentilesOf,
} from "./latency-percentiles.ts";
import { latencySource } from "./latency-source.ts";
import { type Counts, ENOUGH, latencySums, type Means, type Speed } from "./latency-sums.ts";

export interface Route extends RouteKey, Counts, Means, Speed {
  /** Of the duration. */
  percentiles: Percentiles;
  firstToken: Percentiles;
  /** The same route in the baseline; null: fewer than 20 timed calls there, or no baseline. */
  before: (Means & { callsTimed: number; p50Ms: number | null; p95Ms: number | null }) | null;
  /**
   * By how much calls took longer than the baseline's median, summed: Σ max(0, duration − p50 before). Durations and the median are
   * right to 1 %, so it is right to about 2 % of the time that its slow calls took. null: no "before".
   */
  excessSeconds: number | null;
}

interface RouteKey {
  /** '' = none given; '(other)' = those beyond the limit of values, which no filter finds. */
  feature: string;
  model: string;
  endpoint: string;
  modality: Modality | "";
}

const ROUTE = "feature, model, endpoint, modality";
/** Timed calls of a route from which on it has a "before". */
const ENOUGH_BEFORE = ENOUGH.p50;

/** Feature × model × endpoint × modality: most excess seconds first, then by p95. */
export async function routesOf(sql: Reader, scope: Scope, baseline: Interval | null, limit: number): Promise<Route[]> {
  const now = await factsOf(sql, scope);
  const before = baseline ? await factsOf(sql, { ...scope, interval: baseline }) : new Map<string, Facts>();
  const usual = [...before.values()].filter(({ sums }) => sums.callsTimed >= ENOUGH_BEFORE);
  const excess = usual.length ? await excessOver(sql, scope, usual) : new Map<string, number>();
  const routes = [...now].map(([key, facts]): Route => {
    const then = before.get(key);
    const isKnown = then !== undefined && then.sums.callsTimed >= ENOUGH_BEFORE;
    return {
      ...facts.sums,
      percentiles: percentilesOf(facts.duration, ENOUGH),
      firstToken: percentilesOf(facts.firstToken, ENOUGH),
      before: isKnown ? beforeOf(then) : null,
      excessSeconds: isKnown ? (excess.get(key) ?? 0) : null,
    };
  });
  return routes.sort(worstFirst).slice(0, limit);
}

interface Facts {
  sums: RouteKey & Counts & Means & Speed;
  duration: PercentileBins | undefined;
  firstToken: PercentileBins | undefined;
}

async function factsOf(sql: Reader, scope: Scope): Promise<Map<string, Facts>> {
  const { rows, binsOf } = await latencySource(sql, scope);
  const sums = await sql<Facts["sums"][]>`
    select ${sql.unsafe(ROUTE)}, ${latencySums(sql, { speed: true })} from ${rows} part group by ${sql.unsafe(ROUTE)}`;
  const bins = await sql<(PercentileBins & RouteKey & { metric: string })[]>`
    ${percentileBins(sql, `${ROUTE}, metric`, binsOf(["duration", "first_token"]))}`;
  const found = new Map(bins.map((one) => [`${one.metric} ${keyOf(one)}`, one]));
  return new Map(
    sums.map((one) => {
      const key = keyOf(one);
      return [key, { sums: one, duration: found.get(`duration ${key}`), firstToken: found.get(`first_token ${key}`) }];
    }),
  );
}

/** Seconds that calls took above the usual median of their route, by the route's key. */
async function excessOver(sql: Reader, scope: Scope, usual: readonly Facts[]): Promise<Map<string, number>> {
  const { binsOf } = await latencySource(sql, scope);
  const column = (name: keyof RouteKey) => usual.map(({ sums }) => sums[name]);
  const medians = usual.map(({ duration }) => (duration ? binMiddleMs(duration.p50) : 0));
  const rows = await sql<(RouteKey & { seconds: number })[]>`
    with usual as (
      select * from unnest(
        ${column("feature")}::text[], ${column("model")}::text[], ${column("endpoint")}::text[], ${column("modality")}::text[],
        ${medians}::float8[]
      ) as usual (${sql.unsafe(ROUTE)}, median_ms)
    ),
    counted as (
      select ${sql.unsafe(ROUTE)}, bin, sum(n) as n from ${binsOf(["duration"])} part group by ${sql.unsafe(ROUTE)}, bin
    )
    select
      ${sql.unsafe(ROUTE)},
      sum(n * greatest(0, 2.0::float8 ^ ((bin + 0.5::float8) / 36) - median_ms)::numeric)::float8 / 1000 as seconds
    from counted join usual using (${sql.unsafe(ROUTE)})
    group by ${sql.unsafe(ROUTE)}`;
  return new Map(rows.map((row) => [keyOf(row), row.seconds]));
}

const keyOf = ({ feature, model, endpoint, modality }: RouteKey): string =>
  JSON.stringify([feature, model, endpoint, modality]);

function beforeOf({ sums, duration }: Facts): NonNullable<Route["before"]> {
  const { callsTimed, clientMs, ownMs, upstreamMs } = sums;
  const { p50Ms, p95Ms } = percentilesOf(duration, ENOUGH);
  return { callsTimed, clientMs, ownMs, upstreamMs, p50Ms, p95Ms };
}

const worstFirst = (a: Route, b: Route): number =>
  (b.excessSeconds ?? -1) - (a.excessSeconds ?? -1) ||
  (b.percentiles.p95Ms ?? -1) - (a.percentiles.p95Ms ?? -1) ||
  b.calls - a.calls ||
  (keyOf(a) < keyOf(b) ? -1 : 1);
