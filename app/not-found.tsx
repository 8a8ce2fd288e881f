import type { Metadata } from "next";
import { connection } from "next/server";

export const metadata: Metadata = { title: "Not found" };

export default async function NotFound() {
  // Made per request: a page made at build time could not carry the nonce that its scripts need.
  await connection();
  return (
    <main className="mx-auto max-w-2xl px-4 py-12">
      <h1 className="text-lg font-semibold">There is nothing here</h1>
      <p className="mt-2 text-base">The address has no page, or its call is not recorded (or not stored yet).</p>
      <p className="mt-4">
        <a className="control" href="/calls">
          All calls
        </a>
      </p>
    </main>
  );
}
