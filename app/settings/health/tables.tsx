import { formatBytes, formatCount, plural, UNKNOWN } from "#app/_ui/format.ts";
import { ScrollBox } from "#app/_ui/scroll-box.tsx";
import type { Freed, TableSize } from "#db/queries/health-tables.ts";
import { readConfig } from "#lib/config.ts";
import type { Part } from "../read-part.ts";
import { Shown } from "../shown.tsx";
import { FREED_DAYS } from "./read-health.ts";

const SHOWN = 12;

interface Props {
  tables: readonly TableSize[];
  freed: Part<{ content: Freed | null; facts: Freed | null }>;
}

/** The largest tables, and what retention will free. */
export function Tables({ tables, freed }: Props) {
  const bytes = tables.reduce((sum, one) => sum + one.bytes, 0);
  const rest = tables.slice(SHOWN);
  return (
    <>
      <ScrollBox name="Size of tables" className="mt-1">
        <table className="figures" data-testid="tables">
          <thead>
            <tr>
              <th scope="col">Table</th>
              <th scope="col">Size</th>
              <th scope="col">Rows, about</th>
              <th scope="col">Grows per day</th>
              <th scope="col">Partitions</th>
            </tr>
          </thead>
          <tbody>
            {tables.slice(0, SHOWN).map((one) => (
              <tr key={one.table}>
                <th scope="row">{one.table}</th>
                <td>{formatBytes(one.bytes)}</td>
                <td>{one.rows === null ? UNKNOWN : `~${formatCount(one.rows)}`}</td>
                <td>{one.bytesPerDay === null ? UNKNOWN : formatBytes(Math.round(one.bytesPerDay))}</td>
                <td>{one.partitions > 0 ? formatCount(one.partitions) : ""}</td>
              </tr>
            ))}
            {rest.length > 0 && (
              <tr>
                <th scope="row">{plural(rest.length, "other")}</th>
                <td>{formatBytes(rest.reduce((sum, one) => sum + one.bytes, 0))}</td>
                <td>{UNKNOWN}</td>
                <td>{UNKNOWN}</td>
                <td />
              </tr>
            )}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">All</th>
              <td>{formatBytes(bytes)}</td>
              <td />
              <td />
              <td />
            </tr>
          </tfoot>
        </table>
      </ScrollBox>
      <p className="mt-2 max-w-4xl text-muted">
        With indexes. Rows are Postgres' estimates, {UNKNOWN} where it has not analysed a table yet; growth is that of
        the last whole week of partitions.
      </p>
      <Shown part={freed}>{(soon) => <Freeing {...soon} />}</Shown>
    </>
  );
}

function Freeing({ content, facts }: { content: Freed | null; facts: Freed | null }) {
  const { contentDays, factsDays } = readConfig();
  return (
    <ul className="mt-1 max-w-4xl" data-testid="freed">
      <li>{sentence("What was said", contentDays, content, "OMNIMETER_CONTENT_DAYS")}</li>
      <li>{sentence("Facts of calls", factsDays, facts, "OMNIMETER_FACTS_DAYS")}</li>
    </ul>
  );
}

function sentence(what: string, days: number | null, freed: Freed | null, setting: string): string {
  if (days === null || freed === null) return `${what}: kept for ever (${setting} is not set).`;
  if (freed.partitions === 0)
    return `${what}: kept for ${plural(days, "day")} (${setting}); nothing is that old within the next ${FREED_DAYS} days.`;
  return `${what}: kept for ${plural(days, "day")} (${setting}); within the next ${FREED_DAYS} days ${formatBytes(freed.bytes)} in ${plural(freed.partitions, "partition")} will be freed.`;
}
