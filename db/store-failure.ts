import { StoreError } from "./store-error.ts";

/** Turns what the driver or the server said into a sentence for the person who set DATABASE_URL. */
export function storeFailure(error: unknown, url: string): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error;
  const { code = "" } = error as { code?: string };
  const { place, user, database } = partsOf(url);
  const fail = (kind: ConstructorParameters<typeof StoreError>[0], sentence: string) =>
    new StoreError(kind, sentence, { cause: error });

  if (UNREACHABLE.has(code))
    return fail(
      "database_unreachable",
      `No database answers at ${place} (${code}): check that PostgreSQL runs there and that DATABASE_URL has the right host and port.`,
    );
  if (code === "28P01")
    return fail(
      "database_wrong_password",
      `The database at ${place} refuses the password of user ${user}: correct DATABASE_URL.`,
    );
  if (code === "28000")
    return fail(
      "database_wrong_password",
      `The database at ${place} does not let user ${user} in (${error.message}): correct DATABASE_URL or the server's pg_hba.conf.`,
    );
  if (code === "3D000")
    return fail(
      "database_missing",
      `There is no database ${database} at ${place}: create it (create database ${database}) or correct DATABASE_URL.`,
    );
  if (code === "42501")
    return fail(
      "database_no_permission",
      `User ${user} may not create what Omnimeter needs in database ${database} (${error.message}): ` +
        `run "grant create on database ${database} to ${user}; grant create on schema public to ${user}", or make ${user} the database's owner.`,
    );
  if (code === "25006")
    return fail(
      "database_read_only",
      `The database at ${place} is read-only: point DATABASE_URL at the primary server.`,
    );
  if (code === "55P03")
    return fail(
      "database_busy",
      `Another process has been changing the schema of ${database} for a minute: wait until it has finished, then start again.`,
    );
  if (code === "26000" || code === "42P05")
    return fail(
      "database_refused",
      `What answers at ${place} hands each transaction to another connection (${error.message}), as PgBouncer does in transaction mode: ` +
        'add "?prepare=false" to DATABASE_URL.',
    );
  if (code === "53300")
    return fail(
      "database_busy",
      `The database at ${place} has no connection left: raise its max_connections or close other clients.`,
    );
  if (STARTING.has(code))
    return fail(
      "database_unreachable",
      `The database at ${place} is starting up or shutting down: start again in a moment.`,
    );
  return fail(
    "database_refused",
    `The database at ${place} refuses to be set up: ${error.message}${code ? ` (${code})` : ""}.`,
  );
}

const UNREACHABLE = new Set([
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ECONNRESET", "EPIPE"],
  ...["CONNECT_TIMEOUT", "CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED", "ENOENT"],
]);
const STARTING = new Set(["57P03", "57P01", "57P02"]);

/** For sentences: never the password. */
function partsOf(url: string) {
  try {
    const { host, username, pathname } = new URL(url);
    const user = decodeURIComponent(username) || "(none)";
    return { place: host || "localhost", user, database: decodeURIComponent(pathname.slice(1)) || user };
  } catch {
    return { place: "DATABASE_URL", user: "(unknown)", database: "(unknown)" };
  }
}
