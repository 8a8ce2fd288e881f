import { addMoney } from "#lib/money.ts";

/** What reading calls again has come to. */
export interface AgainReport {
  /** Exchanges of the time that lie on disk. */
  looked: number;
  /** Read by this decoder already. */
  current: number;
  unchanged: number;
  /** Sessions that an older decoder had read. */
  sessions: number;
  /** Calls that came out of an exchange whose older decoder did not see them. */
  found: number;
  /** Calls that are others now, and by what; a call can be in several. */
  changed: { calls: number; by: Record<string, number> };
  /** Of the calls whose cost is another one. */
  cost: { beforeUsd: string; afterUsd: string };
  notDecodable: Listed;
  refused: Listed;
  notStored: Record<"setAside" | "expired" | "unknown", Listed>;
}

export interface Listed {
  count: number;
  /** The first few, with a reason where there is one. */
  first: string[];
}

const LISTED_MAX = 5;

export const newReport = (): AgainReport => ({
  looked: 0,
  current: 0,
  unchanged: 0,
  sessions: 0,
  found: 0,
  changed: { calls: 0, by: {} },
  cost: { beforeUsd: "0", afterUsd: "0" },
  notDecodable: newList(),
  refused: newList(),
  notStored: { setAside: newList(), expired: newList(), unknown: newList() },
});

const newList = (): Listed => ({ count: 0, first: [] });

export function list(listed: Listed, line: string): void {
  listed.count++;
  if (listed.first.length < LISTED_MAX) listed.first.push(line);
}

/** Columns by what a reader of the report calls them; the rest is `other`. */
const PARTS: [RegExp, string][] = [
  [/_tokens(_low|_high)?$|^usage_source$/, "usage"],
  [/^(outcome|status|error_.*|finish_reasons)$/, "outcome"],
  [/^(model|request_model|service_tier|request_service_tier|system_fingerprint)$/, "model"],
  [/_ms$|^content_chunks$/, "timings"],
  [/^(environment|feature|customer|end_user|session|template.*|release|tags|operation_id|attempt)$/, "attribution"],
  [/^problems$/, "problems"],
];

export function countChange(report: AgainReport, columns: readonly string[], cost: Cost): void {
  const parts = new Set(columns.map((column) => PARTS.find(([pattern]) => pattern.test(column))?.[1] ?? "other"));
  if (cost.costChanged) {
    parts.add("cost");
    report.cost.beforeUsd = addMoney(report.cost.beforeUsd, cost.costBefore ?? "0");
    report.cost.afterUsd = addMoney(report.cost.afterUsd, cost.costAfter ?? "0");
  }
  if (parts.size === 0) {
    report.unchanged++;
    return;
  }
  report.changed.calls++;
  for (const part of parts) report.changed.by[part] = (report.changed.by[part] ?? 0) + 1;
}

interface Cost {
  costChanged: boolean;
  costBefore: string | null;
  costAfter: string | null;
}

/** The report for people. */
export function writeReport(report: AgainReport, dryRun: boolean): string {
  const { changed, cost, notStored } = report;
  const lines = [
    `${report.looked} calls were read again.`,
    `  read by this decoder already: ${report.current}`,
    `  unchanged: ${report.unchanged}`,
    `  changed: ${changed.calls}`,
    ...(report.sessions > 0 ? [`  sessions with their turns, by an older decoder: ${report.sessions}`] : []),
    ...(report.found > 0 ? [`  new, as an older decoder did not see them: ${report.found}`] : []),
    ...Object.entries(changed.by)
      .toSorted(([, a], [, b]) => b - a)
      .map(
        ([part, n]) =>
          `    ${part}: ${n}${part === "cost" ? ` (${cost.beforeUsd} USD before, ${cost.afterUsd} now)` : ""}`,
      ),
    ...listed("no longer decodable; what is stored of them stays", report.notDecodable),
    ...listed("refused by the database; what is stored of them stays", report.refused),
    ...listed("not stored: set aside (npm run retry-set-aside)", notStored.setAside),
    ...listed("not stored: their day's calls are no longer kept", notStored.expired),
    ...listed("not stored, and nobody knows why", notStored.unknown),
    dryRun
      ? "Nothing was written (--dry-run)."
      : `${report.unchanged + changed.calls + report.found} are stored as they were read now.`,
  ];
  return lines.join("\n");
}

const listed = (what: string, { count, first }: Listed): string[] =>
  count === 0 ? [] : [`  ${what}: ${count}`, ...first.map((one) => `    ${one}`)];
