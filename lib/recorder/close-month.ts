import { checkMonth, closeMonth, type MonthReport, PeriodError } from "#db/close-month.ts";
import { withDatabase } from "./with-database.ts";

const USAGE = `Usage: npm run close-month -- 2026-10 [--by NAME]   closes a month: nothing is booked into it any more
       npm run close-month -- 2026-10 --check       compares a closed month with what it was when it was closed`;

interface Wanted {
  /** YYYY-MM-01 */
  month: string;
  check: boolean;
  by: string | null;
}

function readArguments(args: readonly string[]): Wanted | null {
  const [given, option, by, more] = args;
  if (!given || !/^\d{4}-(0[1-9]|1[0-2])$/.test(given) || more !== undefined) return null;
  const month = `${given}-01`;
  if (option === undefined) return { month, check: false, by: null };
  if (option === "--check" && by === undefined) return { month, check: true, by: null };
  return option === "--by" && by ? { month, check: false, by } : null;
}

const sentence = ({ month, check }: Wanted, report: MonthReport): string =>
  `${month.slice(0, 7)} ${check ? "is as it was closed" : "is closed"}: ${report.costUsd} USD reported, ` +
  `${report.costEstimatedUsd} USD estimated, ${report.lines} lines of ${report.calls} calls, ${report.callsUnpriced} of them unpriced.\n` +
  `SHA-256 ${report.sha256}`;

// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
const wanted = readArguments(process.argv.slice(2));
if (wanted)
  await withDatabase(async (sql) => {
    try {
      const { month, check, by } = wanted;
      const report = check
        ? await checkMonth(sql, "default", month)
        : await closeMonth(sql, { project: "default", month, by });
      console.log(sentence(wanted, report));
    } catch (error) {
      if (!(error instanceof PeriodError)) throw error;
      console.error(`${error.code}: ${error.message}`);
      process.exitCode = 1;
    }
  });
else {
  console.error(USAGE);
  process.exitCode = 1;
}
