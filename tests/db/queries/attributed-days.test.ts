import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEPT_MAX } from "#db/fold-attributed.ts";
import { foldDays } from "#db/fold-days.ts";
import { attributedParts } from "#db/queries/attributed-days.ts";
import type { CallFilter, Scope } from "#db/queries/call-filter.ts";
import { optionsOf } from "#db/queries/call-options.ts";
import { callsOverTime } from "#db/queries/calls-page.ts";
import { latencyGroups } from "#db/queries/latency-groups.ts";
import { slowestOf } from "#db/queries/latency-slowest.ts";
import { latencySource } from "#db/queries/latency-source.ts";
import { differences } from "#db/referee.ts";
import { OUTCOMES } from "#lib/call.ts";
import { LATENCY_METRICS } from "#lib/latency.ts";
import { type TestDatabase, testDatabase } from "#tests/support/postgres.ts";
import { type SpentCall, seedSpent } from "#tests/support/seed-spent.ts";
import { seeded } from "#tests/support/split.ts";
import { callAt, storedSpool } from "#tests/support/store-calls.ts";

const DAY_MS = 86_400_000;
const at = (text: string) => Date.parse(`2026-05-${text}Z`);
const FIRST_MS = at("04T00:00");
const DAYS = 5;
/** When all of them are over. */
const NOW_MS = at("12T00:00");
/** More customers than have names of their own, on the third day alone. */
const RARE_DAY = 2;
const RARE = KEPT_MAX.customer + 60;

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await seedSpent(db.sql, drawn());
});
afterAll(() => db?.drop());

function drawn(): SpentCall[] {
  const random = seeded(7);
  const one = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  const draw = (ms: number, customer: string | undefined): SpentCall => {
    const durationMs = one([undefined, 100 + Math.floor(random() * 4000), 8192]);
    const template = one([undefined, "reply", "sum"]);
    return {
      at: new Date(ms).toISOString(),
      attempt: one([0, 0, 1]),
      outcome: random() < 0.8 ? "completed" : one(OUTCOMES),
      endpoint: one(["chat_completions", "responses"]),
      model: one(["m-1", "m-2"]),
      source: one(["reported", "estimated"]),
      inputs: one([[], ["text"], ["audio"]]),
      streamed: random() < 0.5,
      ...(customer === undefined ? {} : { customer }),
      ...one([{}, { feature: "search" }, { feature: "chat" }]),
      ...(template ? { template, ...one([{}, { version: "v1" }, { version: "v2" }]) } : one([{}, { unit: "u1" }])),
      ...(durationMs === undefined ? {} : { durationMs, firstTokenMs: durationMs / 4, lastTokenMs: durationMs / 2 }),
      ...one([{}, { tokens: [1 + Math.floor(random() * 90), Math.floor(random() * 9), 7] as const }]),
    };
  };
  const often = Array.from({ length: 700 }, () => {
    const day = Math.floor(random() * DAYS);
    const customer = one(["acme", "acme", "bolt", day === 0 ? "(other)" : "acme", undefined]);
    return draw(FIRST_MS + (day + random()) * DAY_MS, customer);
  });
  const rare = Array.from({ length: RARE }, (_, i) => draw(FIRST_MS + (RARE_DAY + random()) * DAY_MS, `rare ${i}`));
  return [...often, ...rare];
}

const scope = (filter: CallFilter, from = "03T10:07", to = "09T19:22:30"): Scope => ({
  project: "default",
  interval: { fromMs: at(from), toMs: at(to) },
  filter,
});
/** Among those of one call each, names go by the alphabet. */
const lastRare = Array.from({ length: RARE }, (_, i) => `rare ${i}`)
  .sort()
  .at(-1) as string;

const FILTERS: Record<string, CallFilter> = {
  customer: { customer: ["acme"] },
  "no customer": { customer: [""] },
  "a customer without a name on one day": { customer: [lastRare] },
  "a customer whose name is that of all others": { customer: ["(other)"] },
  "one with and one without": { customer: ["acme", lastRare, "nobody"] },
  "template and version": { template: ["reply"], templateVersion: ["v1", ""] },
  "no template": { template: [""] },
  instructions: { unitHash: ["u1", ""] },
  "customer, template and model": { customer: ["acme", "(other)"], template: ["sum", ""], model: ["m-1"] },
  outcome: { outcome: ["failed", "client_aborted"] },
  "customer and outcome": { customer: ["acme", "(other)", ""], outcome: ["completed"] },
  modality: { modality: ["audio", ""], endpoint: ["responses"], environment: ["production"] },
};

/** Everything that is read by days. */
async function figures(of: Scope) {
  const midnights = Array.from({ length: 8 }, (_, i) => at("03T00:00") + i * DAY_MS).filter(
    (ms) => ms > of.interval.fromMs && ms < of.interval.toMs,
  );
  const edges = [of.interval.fromMs, ...midnights, of.interval.toMs];
  const cut = [of.interval.fromMs, at("05T18:30"), at("06T18:30"), of.interval.toMs];
  const groups = async (times: readonly number[] | null) =>
    (await latencyGroups(db.sql, of, { edges: times, by: ["feature", "modality", "model"] }, LATENCY_METRICS)).map(
      ({ histograms, ...sums }) => ({
        ...sums,
        histograms: Object.fromEntries(Object.entries(histograms).filter(([, bins]) => bins.size > 0)),
      }),
    );
  const bySlot = (slots: Awaited<ReturnType<typeof callsOverTime>>) =>
    slots.toSorted((a, b) => a.slot - b.slot || (a.outcome < b.outcome ? -1 : 1));
  return {
    all: await groups(null),
    byDay: await groups(edges),
    cut: await groups(cut),
    slots: bySlot(await callsOverTime(db.sql, of, edges)),
    cutSlots: bySlot(await callsOverTime(db.sql, of, cut)),
    features: await optionsOf(db.sql, of, "feature", 2),
    outcomes: await optionsOf(db.sql, of, "outcome", 9),
    slowest: await slowestOf(db.sql, of, "duration", 5),
  };
}

const total = ({ slots }: Awaited<ReturnType<typeof figures>>) => slots.reduce((sum, { calls }) => sum + calls, 0);

describe("calls of whole UTC days, by everything that is filtered by", () => {
  const scopes = (name: string) => [scope(FILTERS[name] ?? {}), scope(FILTERS[name] ?? {}, "05T00:00", "08T00:00")];
  const raw = new Map<string, Awaited<ReturnType<typeof figures>>[]>();
  beforeAll(async () => {
    for (const name of Object.keys(FILTERS)) raw.set(name, await Promise.all(scopes(name).map(figures)));
    await foldDays(db.sql, NOW_MS);
  }, 60_000);

  it.each(Object.keys(FILTERS))("say what the calls say: %s", async (name) => {
    const [first] = raw.get(name) ?? [];
    expect(first && total(first)).toBeGreaterThan(0);
    expect((await latencySource(db.sql, scope(FILTERS[name] ?? {}))).from).not.toBe("calls");
    expect(await Promise.all(scopes(name).map(figures))).toEqual(raw.get(name));
  });

  it("are what a recount finds", async () => {
    const differing = () => differences(db.sql, at("06T00:00"), at("07T00:00"));
    expect(await differing()).toEqual([]);
    await db.sql`update rollup_attributed set operations = operations + 1 where day = '2026-05-06' and customer = 'bolt'`;
    const found = await differing();
    expect(new Set(found.map(({ table }) => table))).toEqual(new Set(["rollup_attributed"]));
    await db.sql`update rollup_attributed set operations = operations - 1 where day = '2026-05-06' and customer = 'bolt'`;
    await db.sql`update attributed_values set kept = '{acme}'`;
    const names = await differing();
    expect(new Set(names.map(({ table }) => table))).toEqual(new Set(["attributed_values"]));
    await db.sql`truncate folded_days`;
    await foldDays(db.sql, NOW_MS);
    expect(await differing()).toEqual([]);
  });

  it("leave to calls the ends of a range, what a reader cuts, and values without a name, each call once", async () => {
    const of = scope({ customer: ["acme", lastRare] }, "04T12:00", "08T12:00");
    const parts = await attributedParts(db.sql, of, [at("05T18:30")]);
    const told = (some: readonly Scope[] | undefined) =>
      some?.map(({ interval, filter }) => [
        new Date(interval.fromMs).toISOString().slice(8, 13),
        new Date(interval.toMs).toISOString().slice(8, 13),
        filter.customer?.join(),
      ]);
    expect(told(parts?.days)).toEqual([
      ["06T00", "07T00", "acme"],
      ["07T00", "08T00", `acme,${lastRare}`],
    ]);
    expect(told(parts?.calls)).toEqual([
      ["04T12", "06T00", `acme,${lastRare}`],
      ["08T00", "08T12", `acme,${lastRare}`],
      ["06T00", "07T00", lastRare],
    ]);
    expect(await attributedParts(db.sql, of, null)).toBeNull();
    expect(await attributedParts(db.sql, scope({ cost: ["unpriced"] }), [])).toBeNull();
  });

  it("are not cut into more stretches than a query can hold: what lacks a name now and then is read from calls always", async () => {
    const days = Array.from({ length: 60 }, (_, i) => new Date(Date.UTC(2025, 0, 1 + i)).toISOString().slice(0, 10));
    await db.sql`insert into folded_days select 'many', 'attributed', unnest(${days}::text[])::date`;
    await db.sql`
      insert into attributed_values (project_id, day, attribute, kept)
      select 'many', day::date, 'customer', case when i % 2 = 0 then array['acme'] else array['acme', 'bolt'] end
      from unnest(${days}::text[]) with ordinality as each (day, i)`;
    const interval = { fromMs: Date.UTC(2025, 0, 1), toMs: Date.UTC(2025, 0, 61) };
    const of = (customer: string[]) => ({ project: "many", interval, filter: { customer } });
    expect(await attributedParts(db.sql, of(["acme", "bolt"]), [])).toEqual({
      days: [of(["acme"])],
      calls: [of(["bolt"])],
    });
    expect(await attributedParts(db.sql, of(["bolt"]), [])).toEqual({ days: [], calls: [of(["bolt"])] });
    expect(await attributedParts(db.sql, of(["acme"]), [])).toEqual({ days: [of(["acme"])], calls: [] });
  });

  it("know a call that comes late at once, and what is read again", async () => {
    const of = scope({ customer: ["late"] });
    const record = await storedSpool(db.sql, "spool-late");
    const call = await callAt(at("06T08:00"), { customer: "late", feature: "search" });
    expect(total(await figures(of))).toBe(0);
    await record([call]);
    expect(total(await figures(of))).toBe(1);
    await foldDays(db.sql, NOW_MS);
    expect(total(await figures(of))).toBe(1);
    await record([{ ...call, customer: "other name", decoderVersion: 99 }]);
    expect(total(await figures(of))).toBe(0);
    await foldDays(db.sql, NOW_MS);
    expect([total(await figures(of)), total(await figures(scope({ customer: ["other name"] })))]).toEqual([0, 1]);
  });

  it("are made only of days whose calls are all kept", async () => {
    await db.sql`truncate folded_days`;
    await db.sql`insert into settings (name, value) values ('sealed', to_jsonb('2026-05-06'::text))`;
    await foldDays(db.sql, NOW_MS);
    const [days] = await db.sql`
      select array_agg(day::text order by day) filter (where rollup = 'attributed') as attributed,
        array_agg(day::text order by day) filter (where rollup = 'latency') as latency
      from folded_days`;
    expect(days).toEqual({
      attributed: ["2026-05-06", "2026-05-07", "2026-05-08"],
      latency: ["2026-05-04", "2026-05-05", "2026-05-06", "2026-05-07", "2026-05-08"],
    });
  });
});
