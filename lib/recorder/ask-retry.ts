import { setAsideRows } from "#db/queries/set-aside.ts";
import { askRetry } from "#db/set-aside.ts";
import { withDatabase } from "./with-database.ts";

// `npm run retry-set-aside`: what could not be stored, and asking that it be tried again; the recorder does, within seconds.
// An entry that lib/setup/run.mjs imports: it is never "main", and nobody else imports it.
const USAGE = `npm run retry-set-aside -- --all        tries all of them again
npm run retry-set-aside -- --id ID      tries one of them again`;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LISTED = 50;

const [option, id, ...rest] = process.argv.slice(2);
if (option === undefined)
  await withDatabase(async (sql) => {
    const rows = await setAsideRows(sql, LISTED);
    for (const one of rows.slice(0, LISTED))
      console.log(
        `${one.id}  ${one.setAsideAt.toISOString()}  tried ${one.tries} times  ${one.bytes} bytes  ${one.reason}`,
      );
    if (rows.length > LISTED) console.log(`These are the newest ${LISTED}; there are more.`);
    console.log(rows.length ? USAGE : "Nothing is set aside.");
  });
else if (option === "--all" && id === undefined) await withDatabase(async (sql) => say(await askRetry(sql, "all")));
else if (option === "--id" && id && UUID.test(id) && rest.length === 0)
  await withDatabase(async (sql) => say(await askRetry(sql, { id })));
else {
  console.error(`Usage:\nnpm run retry-set-aside                lists what is set aside\n${USAGE}`);
  process.exitCode = 1;
}

function say(asked: number) {
  if (asked === 0) process.exitCode = 1;
  console.log(
    asked === 0
      ? "No such call is set aside."
      : `Asked for ${asked}: a running recorder tries them within seconds. What still cannot be stored stays in the list, with the reason.`,
  );
}
