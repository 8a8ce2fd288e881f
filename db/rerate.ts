import type { Sql } from "postgres";
import type { Call, UsageLine } from "#lib/call.ts";
import type { RerateReport } from "#lib/rerate-report.ts";
import { mayBeFolded, unfold } from "./fold-days.ts";
import { amongIds } from "./of-calls.ts";
import { uuid7Floor } from "./partitions.ts";
import { PLAN_AGAIN } from "./plan-again.ts";
import { codeOf, guardMonths, type Plan } from "./plan-calls.ts";
import { rollUpCalls } from "./rollup-calls.ts";
import { bookedByCalls, rollUpSpend } from "./rollup-spend.ts";
import { insertRows, quoted, quotedJson } from "./rows.ts";
import { keptSince } from "./sealed.ts";

/** A row of `usage_lines`; amounts and quantity are exact decimals. */
export interface BookedLine
  extends Pick<UsageLine, "direction" | "modality" | "cache" | "unit" | "product" | "source"> {
  adjustment: number;
  quantity: string;
  priceId: string | null;
  priceUsd: string | null;
  pricePer: number | null;
  costUsd: string | null;
  savedUsd: string | null;
}

/** A call with all that is booked for it. */
export interface BilledCall extends Pick<Call, "id" | "projectId" | "upstream" | "model" | "serviceTier" | "region"> {
  /** Milliseconds since the epoch. */
  startedAt: number;
  inputTokens: number | null;
  /** Of many requests together: a batch's. */
  isSum: boolean;
  /** The day that finance counts it on. */
  day: string;
  /** That day's month is closed: it never changes. */
  closed: boolean;
  lines: BookedLine[];
  /** A hash of what its price depends on and of its lines. */
  state: string;
}

export interface BilledPage {
  calls: BilledCall[];
  /** What was closed, and kept, when this was read. */
  as: Pick<Plan, "closed" | "kept">;
}

/** Lines that are added to a call beside those that it has. */
export interface Adjusted {
  call: Pick<BilledCall, "id" | "projectId" | "day" | "state">;
  lines: BookedLine[];
}

/** Calls that began between two moments; `models` is a name, or its beginning and a `*`. */
export interface RerateRange {
  project: string;
  fromMs: number;
  toMs: number;
  models: string | null;
}

/** These days cannot be priced again. */
export class RerateError extends Error {
  readonly code = "day_sealed";
}

const CHANGED_MEANWHILE = "OMNEW";

/**
 * The next calls behind `after` (an id; null: from the beginning), in the order of their ids.
 * @throws RerateError when calls of the range are no longer kept
 */
export async function billedCalls(
  sql: Sql,
  { project, fromMs, toMs, models }: RerateRange,
  after: string | null,
  limit: number,
): Promise<BilledPage> {
  // Before the calls: what is closed in between is noticed when the adjustments are booked.
  const kept = await keptSince(sql);
  if (kept.factsFromMs !== null && kept.factsFromMs > fromMs) throw sealed(fromMs, kept.factsFromMs);
  const closed = await sql<Plan["closed"]>`
    select project_id as "projectId", month::text as month from closed_periods order by project_id, month`;
  const calls = await sql.unsafe<BilledCall[]>(`
    select
      c.id, c.project_id as "projectId", c.upstream, ${MODEL} as model, c.service_tier as "serviceTier", c.region,
      floor(extract(epoch from c.started_at) * 1000)::float8 as "startedAt", c.input_tokens::float8 as "inputTokens", c.endpoint = 'batch' as "isSum",
      (${DAY})::text as day, booked.lines, ${STATE} as state,
      exists (
        select from closed_periods p where p.project_id = c.project_id and p.month = date_trunc('month', ${DAY})::date
      ) as closed
    from calls c cross join lateral (${LINES}) booked
    where c.project_id = ${quoted(project)} and c.id ${after === null ? ">=" : ">"} ${quoted(after ?? uuid7Floor(fromMs))}::uuid
      and c.id < '${uuid7Floor(toMs)}' ${models === null ? "" : `and ${isOf(models)}`}
    order by c.id limit ${limit}`);
  return { calls: [...calls], as: { closed: [...closed], kept } };
}

function sealed(fromMs: number, keptMs: number): RerateError {
  const [asked, kept] = [fromMs, keptMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
  return new RerateError(
    `${asked} cannot be priced again: calls before ${kept} are no longer kept, and their sums are the record. Begin at ${kept}.`,
  );
}

/** What only the request names is good enough for an estimate (lib/recorder/to-call.ts). */
const MODEL = "coalesce(c.model, case when c.usage_source = 'estimated' then c.request_model end)";
const DAY = "coalesce(c.booked_on, (c.started_at at time zone 'UTC')::date)";

const LINES = `
  select coalesce(json_agg(json_build_object(
    'adjustment', l.adjustment, 'direction', l.direction, 'modality', l.modality, 'cache', l.cache, 'unit', l.unit,
    'product', l.product, 'source', l.source, 'quantity', l.quantity::text, 'priceId', l.price_id,
    'priceUsd', l.price_usd::text, 'pricePer', l.price_per, 'costUsd', l.cost_usd::text, 'savedUsd', l.saved_usd::text
  ) order by l.adjustment, l.direction, l.modality, l.cache, l.unit), '[]') as lines
  from usage_lines l where l.call_id = c.id`;
const STATE = `md5(
  concat_ws(',', c.model, c.request_model, c.service_tier, c.region, c.usage_source, c.input_tokens, c.booked_on) || booked.lines::text
)`;

const isOf = (models: string): string =>
  models.endsWith("*") ? `starts_with(${MODEL}, ${quoted(models.slice(0, -1))})` : `${MODEL} = ${quoted(models)}`;

/** The rerate of the same days and models that was begun and not finished; null: there is none. */
export async function unfinishedRerate(
  sql: Sql,
  range: RerateRange,
): Promise<{ id: string; report: RerateReport } | null> {
  const [from, to] = daysOf(range);
  const [row] = await sql<{ id: string; report: RerateReport }[]>`
    select id, report from rerates
    where project_id = ${range.project} and from_day = ${from}::text::date and to_day = ${to}::text::date
      and report->>'of' is not distinct from ${range.models} and finished_at is null
    order by started_at desc limit 1`;
  return row ?? null;
}

/**
 * Adds lines to calls that are as they were read, rollups and the report of the rerate with them, in one transaction. Whoever stores calls
 * waits for it: a call must not be read again by another decoder between its old price and its new one. False: something has
 * changed meanwhile, and nothing was booked.
 */
export async function bookAdjustments(
  sql: Sql,
  rerate: { id: string; range: RerateRange; report: RerateReport },
  { as }: BilledPage,
  adjusted: readonly Adjusted[],
): Promise<boolean> {
  const these = amongIds(adjusted.map(({ call }) => call.id));
  try {
    // One message, one transaction: see record-batch.ts.
    await sql.unsafe(
      [
        "lock table closed_periods in exclusive mode",
        guardMonths(as),
        guardStates(adjusted),
        ...unfoldDays(adjusted),
        rollUpCalls(these("id"), -1),
        rollUpSpend(bookedByCalls(these, true), -1),
        insertRows("usage_lines", adjusted.flatMap(lineRows)),
        rollUpCalls(these("id")),
        rollUpSpend(bookedByCalls(these, true)),
        keepReport(rerate),
      ].join(";\n"),
    );
    return true;
  } catch (error) {
    if (![CHANGED_MEANWHILE, PLAN_AGAIN].includes(codeOf(error))) throw error;
    return false;
  }
}

const guardStates = (adjusted: readonly Adjusted[]): string => `
  do $states$ begin
    if (
      select count(*)
      from calls c cross join lateral (${LINES}) booked
        join (values ${adjusted.map(({ call }) => `(${quoted(call.id)}::uuid, ${quoted(call.state)})`).join(", ")}) as given (id, state)
          on given.id = c.id and given.state = ${STATE}
    ) <> ${adjusted.length} then
      raise exception 'a call changed meanwhile' using errcode = '${CHANGED_MEANWHILE}';
    end if;
  end $states$`;

function unfoldDays(adjusted: readonly Adjusted[]): string[] {
  const now = Date.now();
  const days = new Set(
    adjusted.flatMap(({ call: { projectId, day } }) =>
      mayBeFolded(day, now) ? [`(${quoted(projectId)}, ${quoted(day)}::date)`] : [],
    ),
  );
  return days.size ? [unfold(`(project_id, day) in (${[...days].join(", ")})`)] : [];
}

/** Booked where the call is: its month is open. */
const lineRows = ({ call, lines }: Adjusted) =>
  lines.map(({ priceId, priceUsd, pricePer, costUsd, savedUsd, ...line }) => ({
    ...line,
    call_id: call.id,
    booked_on: call.day,
    price_id: priceId,
    price_usd: priceUsd,
    price_per: pricePer,
    cost_usd: costUsd,
    saved_usd: savedUsd,
  }));

function keepReport({ id, range, report }: { id: string; range: RerateRange; report: RerateReport }): string {
  const [from, to] = daysOf(range);
  const usd = (amount: string | null) => (amount === null ? "null" : amount);
  const columns = `${report.calls}, ${report.lines}, ${usd(report.beforeUsd)}, ${usd(report.afterUsd)}, ${quotedJson(report)}::jsonb`;
  return `
    insert into rerates (id, project_id, from_day, to_day, calls, lines_changed, cost_before_usd, cost_after_usd, report)
    values (${quoted(id)}, ${quoted(range.project)}, ${quoted(from)}, ${quoted(to)}, ${columns})
    on conflict (id) do update set (calls, lines_changed, cost_before_usd, cost_after_usd, report) = row(${columns})`;
}

/** Says that all of it is done. Where nothing was changed there is nothing to keep. */
export async function finishRerate(sql: Sql, id: string): Promise<void> {
  await sql`update rerates set finished_at = now() where id = ${id}::uuid`;
}

/** The first and the last day, which the table includes. */
const daysOf = ({ fromMs, toMs }: RerateRange): [string, string] => [
  new Date(fromMs).toISOString().slice(0, 10),
  new Date(toMs - 1).toISOString().slice(0, 10),
];
