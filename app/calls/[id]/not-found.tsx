import type { Metadata } from "next";
import { connection } from "next/server";
import { database } from "#app/_data/database.ts";
import { READER, snapshot } from "#db/queries/snapshot.ts";
import { sealedUntil } from "#db/sealed.ts";
import { goneSentence } from "./gone-sentence.ts";

export const metadata: Metadata = { title: "Call not found" };

/** Also what a link to a call says after the call was dropped. */
export default async function CallNotFound() {
  // Made per request: see app/not-found.tsx.
  await connection();
  const limits = { timeoutMs: 2000, as: `${READER}call` };
  const gone = goneSentence(await snapshot(database(), sealedUntil, limits).catch(() => null));
  return (
    <main className="mx-auto max-w-2xl px-4 py-12">
      <h1 className="text-lg font-semibold">There is no such call</h1>
      <p className="mt-2 text-base">It is not recorded, or not stored yet.</p>
      {gone && (
        <p className="mt-2 text-base" data-testid="gone">
          {gone}
        </p>
      )}
      <p className="mt-4">
        <a className="control" href="/calls">
          All calls
        </a>
      </p>
    </main>
  );
}
