import { checkMonth, closeMonth, type MonthReport, PeriodError } from "#db/close-month.ts";
import { withDatabase } from "./with-database.ts";

const USAGE = `Usage: npm run close-month -- 2026-10 [--by NAME] [--anyway]   closes a month: nothing is booked into it any more
       npm run close-month -- 2026-10 --check                    compares a closed month with what it was when it was closed`;

interface Wanted {
  /** YYYY-MM-01 */
  month: string;
  check: boolean;
  by: string | null;
  anyway: boolean;
}

function readArguments(args: readonly string[]): Wanted | null {
  const [given, ...options] = args;
  if (!given || !/^\d{4}-(0[1-9]|1[0-2])$/.test(given)) return null;
  const wanted: Wanted = { month: `${given}-01`, check: false, by: null, anyway: false };
  for (let i = 0; i < options.length; i++) {
    if (options[i] === "--check" && options.length === 1) wanted.check = true;
    else if (options[i] === "--anyway") wanted.anyway = true;
    else if (options[i] === "--by" && options[i + 1]) wanted.by = options[++i] as string;
    else return null;
  }
  return wanted;
}

const sentence = ({ month, check }: Wanted, report: MonthReport): string =>
  `${month.slice(0, 7)} ${check ? "is as it was closed" : "is closed"}: ${report.costUsd} USD reported, ` +
  `${report.costEstimatedUsd} USD estimated; ${report.calls} calls, ${report.callsUnpriced} of them unpriced and ` +
  `${report.callsWithoutUsage} without known usage; ${report.lines} lines.\n` +
  `SHA-256 ${report.sha256}`;

// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
const wanted = readArguments(process.argv.slice(2));
if (wanted)
  await withDatabase(async (sql) => {
    try {
      const { month, check, by, anyway } = wanted;
      const report = check
        ? await checkMonth(sql, "default", month)
        : await closeMonth(sql, { project: "default", month, by, anyway });
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
