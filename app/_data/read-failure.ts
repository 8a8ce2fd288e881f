import { StoreBusy } from "#db/queries/snapshot.ts";

/** Why figures could not be read, for people: what happened, and what to do. */
export interface ReadFailure {
  title: string;
  sentence: string;
}

export class TookTooLong extends Error {}
/** What is asked for would have to be computed from calls that are dropped; its message is for people. */
export class NotKept extends Error {}

const CANCELED = "57014";

/** Anything that a read can fail with, in a sentence; never what a driver says, which may name hosts and users. */
export function readFailure(error: unknown): ReadFailure {
  const code = codeOf(error);
  if (error instanceof TookTooLong || (code === CANCELED && /timeout/.test(String(error))))
    return {
      title: "This took too long",
      sentence:
        "It was stopped so that it does not slow down everything else. Choose a shorter range or fewer filters.",
    };
  if (error instanceof NotKept) return { title: "Not all of this is kept", sentence: error.message };
  if (code === CANCELED)
    return { title: "Cancelled", sentence: "The database has stopped computing this. Reload to start again." };
  if (error instanceof StoreBusy)
    return {
      title: "The dashboard is busy",
      sentence:
        "All its connections to the database are at work, or the database does not answer. Reload in a few seconds; Settings, Health shows what is slow.",
    };
  return {
    title: "This could not be read",
    sentence: `${storeTrouble(code)} Recording goes on meanwhile: calls wait in the spool. Settings, Health says more.`,
  };
}

/** What an error's code means. */
export function storeTrouble(code: string): string {
  if (/^(ECONN|EHOST|ENET|ENOTFOUND|EAI_|ETIMEDOUT|CONNECT|CONNECTION_)/.test(code) || /^(08|57P)/.test(code))
    return `The database does not answer (${code}).`;
  if (code === "store_busy") return "No connection to the database was free in time.";
  if (code === CANCELED) return "It took too long.";
  if (code === "55P03") return "Something else holds a lock on it.";
  if (code === "53300") return "The database has no connection left (53300): raise its max_connections.";
  if (code === "25006") return "The database is read-only (25006).";
  if (code === "42501") return "The dashboard's database user may not read this (42501).";
  if (code.startsWith("53")) return `The database is out of space or memory (${code}).`;
  if (code === "42P01" || code === "42703")
    return `The database is older than this dashboard (${code}): npm start migrates it.`;
  return `The database refused it (${code || "no code"}).`;
}

export const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
