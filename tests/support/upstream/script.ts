import type { IncomingMessage } from "node:http";
import type { Split } from "../split.ts";

/**
 * What the fake upstream does with one request, asked for in its `x-script` header as JSON. Without one it plays chat
 * completions and responses, and echoes anything else.
 */
export type Script =
  | { do: "echo" }
  | {
      do: "answer";
      status?: number;
      headers?: [string, string][];
      body?: string;
      framing?: Framing;
      split?: Split;
      trailers?: [string, string][];
    }
  | { do: "encoded"; encoding: "gzip" | "br" | "deflate"; body: string; split?: Split }
  | { do: "bytes"; size: number; seed: number; framing?: Framing }
  /** Writes to the bare socket: text as Latin-1, numbers are milliseconds to wait. Then the connection ends as told. The steps after the first are
   * played `times` times. */
  | { do: "raw"; steps: (string | number)[]; last: "end" | "reset"; times?: number }
  | ({ do: "chat" } & ChatOptions)
  | ({ do: "responses" } & ChatOptions)
  /** Accepts and never answers. */
  | { do: "silence" }
  /** Answers before it has read the request's body. */
  | { do: "early"; status: number; body: string }
  /** Answers and closes the connection after a pause, as an idle keep-alive connection is closed. */
  | { do: "hang-up-idle"; afterMs: number }
  /** Reads the request at a limited rate. */
  | { do: "slow-read"; bytesPerSecond: number };

export type Framing = "content-length" | "chunked" | "close";

export interface ChatOptions {
  /** Content chunks of a stream. */
  chunks?: number;
  paceMs?: number;
  split?: Split;
  eol?: "\n" | "\r\n";
  /** Refuses `stream_options` as older servers do. */
  refusesUsage?: boolean;
  /** Breaks the connection after so many chunks. */
  resetAfter?: number;
  /** Azure's first chunk: no choices, but filter results. */
  azure?: boolean;
  delayMs?: number;
}

export function scriptOf(req: IncomingMessage): Script {
  const header = req.headers["x-script"];
  if (typeof header === "string") return JSON.parse(header) as Script;
  const path = (req.url ?? "").split("?", 1)[0] as string;
  if (req.method === "POST" && /\/(chat\/)?completions$/.test(path)) return { do: "chat" };
  if (req.method === "POST" && path.endsWith("/responses")) return { do: "responses" };
  return { do: "echo" };
}

/** JSON in the characters that a header may hold. */
export const asHeader = (script: object): string =>
  JSON.stringify(script).replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
