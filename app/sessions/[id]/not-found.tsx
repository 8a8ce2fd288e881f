import type { Metadata } from "next";
import { connection } from "next/server";

export const metadata: Metadata = { title: "Session not found" };

export default async function SessionNotFound() {
  // Made per request: see app/not-found.tsx.
  await connection();
  return (
    <main className="mx-auto max-w-2xl px-4 py-12">
      <h1 className="text-lg font-semibold">There is no such session</h1>
      <p className="mt-2 text-base">
        It is not recorded, not stored yet, or older than what is kept. A session is stored when something was completed
        in it, and when it ends.
      </p>
      <p className="mt-4">
        <a className="control" href="/sessions">
          All sessions
        </a>
      </p>
    </main>
  );
}
