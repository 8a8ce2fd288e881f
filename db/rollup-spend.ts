import type { OfCalls } from "./of-calls.ts";
import { keptValues, OTHER } from "./rollup-limit.ts";

/** Whose money: the dimensions of `rollup_spend`. */
export const SPEND_DIMENSIONS = [
  "environment",
  "feature",
  "customer",
  "template",
  "template_version",
  "unit_hash",
  "model",
] as const;
export type SpendDimension = (typeof SPEND_DIMENSIONS)[number];

const MODALITIES = ["text", "image", "audio"] as const;
/** Input is without what was read from the cache, and with what was written to it. */
const KINDS = {
  input: "l.direction = 'input' and l.cache <> 'read'",
  cached: "l.direction = 'input' and l.cache = 'read'",
  output: "l.direction = 'output'",
} as const;

interface Measure {
  name: string;
  /** Of a call, as `c`; nothing when left out. */
  call?: string;
  /** Of a line, as `l`; nothing when left out. */
  line?: string;
  /** Over the lines of one call without a price that are booked on one day, as `l`; nothing when left out. */
  unpriced?: string;
  /** Of a row of `booked_as`, as `b`, which then stands in for the call; nothing when left out. */
  again?: string;
}

/** A column where a condition holds; elsewhere nothing. */
const where = (condition: string, column: string) => `case when ${condition} then l.${column} end`;
const tokens = (condition: string) => where(`l.unit = 'token' and ${condition}`, "quantity");
const money = (condition: string) => where(condition, "cost_usd");

const MEASURES: readonly Measure[] = [
  { name: "calls", call: "1", again: "(b.correction = 0)::int" },
  { name: "calls_failed", call: "(c.outcome <> 'completed')::int", again: "b.failed" },
  {
    name: "calls_unpriced",
    // A usage that contradicts itself has no lines: its cost is unknown too.
    call: "('usage_inconsistent' = any(c.problems))::int",
    again: "b.unpriced",
    // What this day changes: is something unpriced up to it, and was something before? A reversal takes its mark away again.
    unpriced: `${unpricedUpTo("<=")} - ${unpricedUpTo("<")}`,
  },
  { name: "calls_without_usage", call: "(c.usage_source = 'none')::int", again: "b.without_usage" },
  { name: "cost_usd", line: money("l.source <> 'estimated'") },
  { name: "cost_estimated_usd", line: money("l.source = 'estimated'") },
  { name: "saved_usd", line: "l.saved_usd" },
  { name: "tokens_estimated", line: tokens("l.source = 'estimated'") },
  ...cells("", tokens),
  ...cells("_usd", money),
  // In no cell: cells and fees together are what was spent.
  { name: "fees_usd", line: money("l.direction = 'tool'") },
];

function unpricedUpTo(days: "<" | "<=") {
  return `(select coalesce(sign(sum(u.quantity)), 0) from usage_lines u
    where u.call_id = c.id and u.cost_usd is null and u.booked_on ${days} l.booked_on)`;
}

function cells(suffix: string, of: (condition: string) => string): Measure[] {
  return MODALITIES.flatMap((modality) =>
    Object.entries(KINDS).map(([kind, condition]) => ({
      name: `${modality}_${kind}${suffix}`,
      line: of(`l.modality = '${modality}' and ${condition}`),
    })),
  );
}

export const SPEND_MEASURES: readonly string[] = MEASURES.map(({ name }) => name);

/**
 * The calls counted, as `c`; the lines summed, as `l` with their call `c`; and, of calls that were read again after their month
 * was closed, what is counted of them, as `b` with its call `c`. Several conditions of a kind never meet the same row: each is a
 * scan of its own, which finds its index. Made of ids and moments, never of text from outside.
 */
export interface Booked {
  calls: string[];
  lines: string[];
  /** null: none of these calls is in `booked_as`. */
  again: string[] | null;
}

export const bookedByCalls = (which: OfCalls, again: boolean): Booked => ({
  calls: [which("c.id")],
  // Both, so that neither table is read for more than these calls.
  lines: [`${which("l.call_id")} and ${which("c.id")}`],
  again: again ? [which("c.id")] : null,
});

const OWN_DAY = "(c.started_at at time zone 'UTC')::date";
const CALL_BOOKED_AT = "coalesce(c.booked_on::timestamp at time zone 'UTC', c.started_at)";
/** What is booked on another day than its call's own is booked at that day's first moment. */
const bookedAt = (day: string) =>
  `case when ${day} = ${OWN_DAY} then c.started_at else ${day}::timestamp at time zone 'UTC' end`;

const DAY_MS = 86_400_000;
/** So short a stretch's lines are looked up call by call. */
const SHORT_MS = 3_600_000;

/**
 * What is booked in a stretch of time. `idFrom` and `idTo` are the UUIDv7 of its edges, so that calls are found by their
 * key; what was booked late stands at midnight and is found by its day.
 */
export function bookedBetween(
  fromMs: number,
  toMs: number,
  idFrom: string,
  idTo: string,
): Booked & { again: string[] } {
  const within = (id: string) => `${id} >= '${idFrom}' and ${id} < '${idTo}'`;
  // Ids close together are planned as one call: with bounds of their own, all of the stretch's lines would be gone through for each.
  const ofLines = toMs - fromMs <= SHORT_MS ? "" : `and ${within("l.call_id")}`;
  const own = {
    calls: [`${within("c.id")} and c.booked_on is null`],
    lines: [`${within("c.id")} ${ofLines} and l.booked_on = ${OWN_DAY}`],
    again: [`${within("c.id")} and b.counted_on = ${OWN_DAY}`],
  };
  const first = Math.ceil(fromMs / DAY_MS) * DAY_MS;
  if (first >= toMs) return own;
  const last = Math.ceil(toMs / DAY_MS) * DAY_MS - DAY_MS;
  const days = `between '${new Date(first).toISOString().slice(0, 10)}' and '${new Date(last).toISOString().slice(0, 10)}'`;
  return {
    calls: [...own.calls, `c.booked_on ${days}`],
    lines: [
      ...own.lines,
      `l.adjustment = 0 and l.booked_on = c.booked_on and c.booked_on ${days}`,
      `l.adjustment > 0 and l.booked_on <> ${OWN_DAY} and l.booked_on ${days}`,
    ],
    again: [...own.again, `b.counted_on <> ${OWN_DAY} and b.counted_on ${days}`],
  };
}

/**
 * SQL: each call, and each of its lines, as rows with the dimensions, `booked_at` and the measures, each in one row and 0 in the others. The
 * only definition of what is spent; the rollup and every figure that is computed without it are sums over these rows.
 */
export const spendParts = (booked: Booked): string => partsOf(booked, "0");

/** `nothing` is what a row has of a measure that it says nothing of. */
const partsOf = ({ calls, lines, again }: Booked, nothing: "0" | "null::numeric"): string => {
  const all = (of: keyof Measure) =>
    MEASURES.map(
      (one) => `${one[of] === undefined ? nothing : `coalesce(${one[of]}, ${nothing})`} as ${one.name}`,
    ).join(", ");
  const isFirst = again ? `${NOT_AGAIN} and` : "";
  return [
    ...calls.map(
      (which) =>
        `select ${PART_KEYS}, ${CALL_BOOKED_AT} as booked_at, ${all("call")} from calls c where ${isFirst} ${which}`,
    ),
    ...lines.flatMap((which) => linesOf("calls", `${isFirst} ${which}`, all)),
    ...(again ? lines.flatMap((which) => linesOf(AS_BOOKED, which, all)) : []),
    ...(again ?? []).map(
      (which) => `
        select ${PART_KEYS}, ${bookedAt("b.counted_on")}, ${all("again")}
        from ${AS_BOOKED} c join ${COUNTED} b on b.call_id = c.id where ${which}`,
    ),
  ].join(" union all ");
};

const linesOf = (calls: string, which: string, all: (of: keyof Measure) => string): string[] => {
  const from = `select ${PART_KEYS}, ${bookedAt("l.booked_on")},`;
  const keys = calls === AS_BOOKED ? `, ${KEY_COLUMNS.map((name) => `c.${name}`).join(", ")}` : "";
  return [
    `${from} ${all("line")} from ${calls} c join usage_lines l on l.call_id = c.id where ${which}`,
    `${from} ${all("unpriced")} from ${calls} c join usage_lines l on l.call_id = c.id
      where l.cost_usd is null and ${which} group by c.id, l.booked_on${keys}`,
  ];
};

const NOT_AGAIN = "not exists (select 1 from booked_as was where was.call_id = c.id)";
/**
 * Calls that were read again after their month was closed: as they are, under the names that their money keeps. Its model is
 * the one that was asked for when none had answered: what is known now of either stays out. Columns by name, so that a call is
 * found by its key; those that filters ask for (db/queries/call-filter.ts) have to be among them.
 */
const AS_BOOKED = `(
  select
    k.id, k.project_id, k.spool, k.started_at, k.booked_on, k.endpoint, k.outcome, k.problems, k.usage_source,
    k.input_modalities, k.output_modalities, k.request_end_ms, k.sent_ms, k.connect_ms, k.first_byte_ms, k.first_token_ms,
    k.first_audio_ms, k.response_end_ms, k.duration_ms,
    n.environment, n.feature, n.customer, n.template, n.template_version, n.unit_hash, n.model, null::text as request_model
  from calls k join booked_as n on n.call_id = k.id and n.correction = 0
)`;
/** Its names stay behind: a filter means the call's. */
const COUNTED = "(select call_id, correction, booked_on as counted_on, failed, unpriced, without_usage from booked_as)";

/** What the keys of a part are made of: a derived table has no primary key to group by. */
const KEY_COLUMNS = ["project_id", "spool", "started_at", "request_model", ...SPEND_DIMENSIONS];
const PART_KEYS = `
  c.project_id, c.spool as writer, c.environment,
  coalesce(c.feature, '') as feature, coalesce(c.customer, '') as customer,
  coalesce(c.template, '') as template,
  case when c.template is null then '' else coalesce(c.template_version, '') end as template_version,
  case when c.template is null then coalesce(c.unit_hash, '') else '' end as unit_hash,
  coalesce(c.model, c.request_model, '') as model`;

const PLACE = "project_id, bucket, writer";
const KEY = `${PLACE}, ${SPEND_DIMENSIONS.join(", ")}`;
/** Each is kept apart up to a limit; what a version belongs to decides for it as well. */
const LIMITED = ["feature", "customer", "template", "template_version", "unit_hash", "model"] as const;

/** Those of the key. */
const COLUMN_NUMBERS = KEY.split(",")
  .map((_, i) => i + 1)
  .join(", ");

/**
 * SQL that adds to `rollup_spend`; `sign` -1 takes out again (before calls are replaced). A closed month is left as it is:
 * nothing is booked into it any more, and what is taken out of `calls` stays counted there.
 */
export const rollUpSpend = (booked: Booked, sign: 1 | -1 = 1): string => `
  with summed as (
    select r.* from (
      select project_id, date_bin('15 minutes', booked_at, 'epoch') as bucket, writer, ${SPEND_DIMENSIONS.join(", ")},
        ${SPEND_MEASURES.map((name) => `coalesce(sum(${name}), 0) as ${name}`).join(", ")}
      -- A sum passes over what is null, and would add each 0.
      from (${partsOf(booked, "null::numeric")}) part
      group by ${KEY}
    ) r
    where ${IS_OPEN}
  ),
  places as materialized (
    select p.*, ${LIMITED.map((name) => `${keptValues("rollup_spend", name)} as ${name}_kept`).join(", ")}
    from (select distinct ${PLACE} from summed) p
  )
  insert into rollup_spend as r (${KEY}, ${SPEND_MEASURES.join(", ")})
  select ${PLACE}, environment, ${LIMITED.map((name) => `case when ${name} = any(${name}_kept) then ${name} else '${OTHER}' end`).join(", ")},
    ${SPEND_MEASURES.map((name) => `${sign} * sum(${name})`).join(", ")}
  from summed join places using (${PLACE})
  group by ${COLUMN_NUMBERS}
  -- As everybody else does: two that update the same rows would wait for each other.
  order by ${COLUMN_NUMBERS}
  on conflict (${KEY}) do update set ${SPEND_MEASURES.map((name) => `${name} = r.${name} + excluded.${name}`).join(", ")}`;

/** What a row holds when everything that was booked has been taken back. */
const NOTHING = SPEND_MEASURES.map((name) => `${name} = 0`).join(" and ");
const IS_OPEN = `not exists (
      select 1 from closed_periods p
      where p.project_id = r.project_id and p.month = date_trunc('month', r.bucket at time zone 'UTC')::date
    )`;

/** SQL that removes rows of nothing; `which` is a condition on `rollup_spend` as `r`. Closed months stay as they are. */
export const dropNothingSpent = (which: string): string => `
  delete from rollup_spend r where ${which} and ${NOTHING} and ${IS_OPEN}`;

/**
 * SQL that does so where calls were replaced: a call that was read again under another name leaves one under its old name. `which` are
 * the calls, `days` those on which something of theirs is booked late.
 */
export const dropEmptySpend = (which: OfCalls, days: readonly string[]): string =>
  dropNothingSpent(`(project_id, bucket, writer) in (
    select project_id, at, spool
    from calls cross join lateral unnest(
      date_bin('15 minutes', started_at, 'epoch') || array[${days.map((day) => `'${day}T00:00:00Z'`).join(", ")}]::timestamptz[]
    ) as booked (at)
    where ${which("id")}
  )`);
