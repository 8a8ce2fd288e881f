"use client";

import { useEffect } from "react";

/** A page that could not be made: never blank, with what to look for in the log. */
export default function ErrorPage({ error, retry }: { error: unknown; retry: () => void }) {
  const id = digestOf(error);
  useEffect(() => console.error(error), [error]);
  return (
    <main className="mx-auto max-w-2xl px-4 py-12" data-testid="error">
      <h1 className="text-lg font-semibold">This page could not be shown</h1>
      <p role="alert" className="mt-2 text-base">
        Most often the database is starting, busy or unreachable. Recording goes on meanwhile: calls wait in the spool
        and appear here later.
      </p>
      <p className="mt-4 text-muted">
        Error id <code className="font-mono text-fg">{id}</code>, as in the dashboard's log.
      </p>
      <p className="mt-4 flex gap-2">
        <button type="button" className="control" onClick={() => retry()}>
          Retry
        </button>
        <a className="control" href="/calls">
          All calls
        </a>
      </p>
    </main>
  );
}

const digestOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "digest" in error ? String(error.digest) : "none";
