import type { Reader } from "./call-filter.ts";

/** Audio of a call that is kept, without the audio itself. */
export interface KeptMedia {
  index: number;
  direction: "input" | "output";
  mediaType: string;
  bytes: number;
}

export async function mediaOf(sql: Reader, id: string): Promise<KeptMedia[]> {
  return sql<KeptMedia[]>`
    select index, direction, media_type as "mediaType", bytes::float8 as bytes
    from media where call_id = ${id}::uuid order by index`;
}

/** One of them, sealed. null: there is none. */
export async function sealedMedia(
  sql: Reader,
  id: string,
  index: number,
): Promise<{ mediaType: string; sealed: Buffer } | null> {
  const [row] = await sql<{ mediaType: string; sealed: Buffer }[]>`
    select media_type as "mediaType", sealed from media where call_id = ${id}::uuid and index = ${index}`;
  return row ?? null;
}
