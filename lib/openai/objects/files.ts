import type { Exchange } from "#lib/exchange.ts";
import type { Bodies } from "../bodies/body.ts";
import { fileInPath } from "../endpoints.ts";
import type { Facts } from "../facts.ts";
import { readPlain } from "../plain.ts";
import { batchLines } from "./batch-lines.ts";

/** Reads the bodies of an exchange as those of another endpoint, by its path. */
export type ReadAs = (path: string, exchange: Exchange, bodies: Bodies) => Facts | Promise<Facts>;

/** Files: free. The content of one that holds a batch's answers tells of a call for each of its lines. */
export async function readFile(exchange: Exchange, bodies: Bodies, readAs: ReadAs): Promise<Facts> {
  const facts = readPlain(exchange, bodies);
  const { response } = bodies;
  const fileId = fileInPath(exchange.start.upstreamTarget);
  if (exchange.start.method !== "GET" || fileId === null || response.kind !== "none") return facts;
  const { children, problems } = await batchLines(response.kept, fileId, exchange, readAs);
  return { ...facts, children, problems: [...facts.problems, ...problems] };
}
