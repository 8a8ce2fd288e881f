import type { Call } from "#lib/call.ts";
import { dayOf } from "./booking.ts";
import { insertColumns } from "./insert-columns.ts";
import { quoted, quotedJson, usageLineRows } from "./rows.ts";

interface Booked {
  call: Pick<Call, "id" | "startedAt" | "lines">;
  /** The day its lines are booked on: in an open month. */
  linesOn: string;
}

/** The lines of calls that have none yet. */
export function insertLines(calls: readonly Booked[]): string[] {
  const rows = calls.flatMap(({ call, linesOn }) => usageLineRows(call, linesOn));
  return rows.length ? [insertColumns("usage_lines", rows)] : [];
}

const KEY = "call_id, direction, modality, cache, unit";

/**
 * The lines of calls that were read before. What a closed month holds of them stays: where it is not what we know now, a
 * reversal and a new line are added, booked in an open month. (Lines of open months were taken out before.)
 */
export function rebookLines(calls: readonly Booked[]): string[] {
  if (calls.length === 0) return [];
  const rows = calls.flatMap(({ call, linesOn }) =>
    // What is booked elsewhere than on its call's day is an adjustment, also where the closed month has no such line.
    usageLineRows(call, linesOn).map((row) => ({ ...row, adjustment: linesOn === dayOf(call.startedAt) ? 0 : 1 })),
  );
  const days = calls.map(({ call, linesOn }) => `('${call.id}'::uuid, ${quoted(linesOn)}::date)`);
  return [
    `
    with given as (
      select * from json_populate_recordset(null::usage_lines, ${quotedJson(rows)}::json)
    ),
    days (call_id, day) as (values ${days.join(", ")}),
    tops as (
      select ${KEY}, max(adjustment) as top from usage_lines where call_id in (select call_id from days) group by ${KEY}
    ),
    -- What counts of a key now: reversals and what they reverse cancel out.
    before as (
      select ${KEY}, product, price_id, price_usd, price_per, source,
        sum(quantity) as quantity, sum(cost_usd) as cost_usd, sum(saved_usd) as saved_usd
      from usage_lines where call_id in (select call_id from days)
      group by ${KEY}, product, price_id, price_usd, price_per, source
      having sum(quantity) <> 0
    ),
    same as (
      select ${KEY} from given g join before b using (${KEY})
      where (g.quantity, g.cost_usd, g.price_id, g.product, g.source)
        is not distinct from (b.quantity, b.cost_usd, b.price_id, b.product, b.source)
    ),
    reversed as (
      select b.call_id, top + 1 as adjustment, b.direction, b.modality, b.cache, b.unit, b.product, -b.quantity as quantity, b.source, day,
        b.price_id, b.price_usd, b.price_per, -b.cost_usd as cost_usd, -b.saved_usd as saved_usd
      from before b join tops using (${KEY}) join days using (call_id)
      where (b.call_id, b.direction, b.modality, b.cache, b.unit) not in (select ${KEY} from same)
    ),
    renewed as (
      select g.call_id, coalesce(top + 2, g.adjustment) as adjustment, g.direction, g.modality, g.cache, g.unit, g.product, g.quantity, g.source,
        g.booked_on, g.price_id, g.price_usd, g.price_per, g.cost_usd, g.saved_usd
      from given g left join tops using (${KEY})
      where (g.call_id, g.direction, g.modality, g.cache, g.unit) not in (select ${KEY} from same)
    )
    insert into usage_lines (
      call_id, adjustment, direction, modality, cache, unit, product, quantity, source, booked_on,
      price_id, price_usd, price_per, cost_usd, saved_usd
    )
    select * from reversed union all select * from renewed`,
  ];
}
