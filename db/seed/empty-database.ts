import { open } from "../connect.ts";

/** Takes everything out of a database that is ours alone, its tables included: the next start sets it up anew. */
export async function emptyDatabase(url: string): Promise<void> {
  const sql = open(url, 1);
  try {
    await sql.unsafe("drop schema if exists drizzle cascade; drop schema public cascade; create schema public");
  } finally {
    await sql.end({ timeout: 5 });
  }
}
